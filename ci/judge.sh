#!/usr/bin/env bash
# The run of pytest in a CI job. The settings are environment variables:
#   MODEL      the checkpoint
#   REFERENCE  the approved checkpoint, or empty
#   LANGUAGES  as en,it, or empty
#   TESTS      the claims to run; by default both shipped suites
#   ARGS       further words for pytest, with quotes as in a shell
#   REPORT     the folder for the report
#   STORE      the folder for answers, which a cache keeps from job to job
# The exit status is that of pytest: 0 all claims hold, 1 broken, 10 undecided, 11 not measured.
set -u

# The words of a text with quotes, each with a zero byte after it. Nothing in the text is run.
split() {
    python3 -c 'import shlex, sys; sys.stdout.write("".join(f"{word}\0" for word in shlex.split(sys.argv[1])))' "$1"
}

# Words of TESTS and ARGS. No `mapfile`: the bash of macOS has none.
words=()
for text in "${TESTS:---pyargs lengthprobe.suites}" "${ARGS:-}"; do
    if ! split "$text" > /dev/null 2>&1; then
        echo "a quote is left open: $text" >&2
        exit 4
    fi
    while IFS= read -r -d '' word; do
        words+=("$word")
    done < <(split "$text")
done
options=(
    --lengthprobe-model="${MODEL:?name a checkpoint}"
    --lengthprobe-report="${REPORT:-lengthprobe-report}"
    --junitxml="${REPORT:-lengthprobe-report}.xml"
)
[ -z "${REFERENCE:-}" ] || options+=(--lengthprobe-reference="$REFERENCE")
[ -z "${LANGUAGES:-}" ] || options+=(--lengthprobe-languages="$LANGUAGES")
[ -z "${STORE:-}" ] || options+=(--lengthprobe-store="$STORE")

python3 -m pytest "${options[@]}" ${words[@]+"${words[@]}"}
status=$?

# A cache that grows without end is slower than no cache.
[ -z "${STORE:-}" ] || [ ! -d "$STORE" ] || lengthprobe cache --clear --megabytes 500 --store "$STORE" || true
[ -z "${GITHUB_OUTPUT:-}" ] || echo "exit-status=$status" >> "$GITHUB_OUTPUT"
exit "$status"
