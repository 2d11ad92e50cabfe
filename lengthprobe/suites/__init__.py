"""The shipped suites of claims: the wheel puts behavior_tests/ and mech_tests/ here."""
