"""Count the responses that another batch size changes: whether batches may be merged.

    python benchmarks/batch_and_tokens.py MODEL [--sizes 7 100 256] [--dtypes float32 bfloat16] [--budget 100]

A row's neighbours change the shape of every product, and so the last bits of the logits. Printed is, for each
number format, how many responses differ from those at the first batch size.
"""

from __future__ import annotations

import argparse

from tabulate import tabulate

from lengthprobe import load


def main() -> None:
    """Ask the same prompts in batches of each size, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--sizes", nargs="+", type=int, default=[7, 100, 256])
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--budget", type=int, default=100)
    parser.add_argument("--cap", type=int, default=40)
    parser.add_argument("--language", default="en")
    told = parser.parse_args()
    rows = []
    for dtype in told.dtypes:
        texts = [
            [
                one.token_ids
                for one in load(
                    told.model,
                    device_map="cpu",
                    dtype=dtype,
                    budget=told.budget,
                    cap=told.cap,
                    batch_size=size,
                    languages=(told.language,),
                ).responses(told.language)
            ]
            for size in told.sizes
        ]
        differ = [sum(a != b for a, b in zip(texts[0], some, strict=True)) for some in texts[1:]]
        rows.append([dtype, *differ])
    print(f"of {told.budget} responses, so many differ from those in batches of {told.sizes[0]}")
    print(tabulate(rows, headers=["format", *(f"batches of {size}" for size in told.sizes[1:])]))


if __name__ == "__main__":
    main()
