"""How sure a measurement is: intervals over topics, estimates that compare, verdicts."""
