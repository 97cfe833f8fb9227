# Sourced by run and release: runs the steps of a check one after another and prints how many seconds each took.
# After the script's end, summary prints a line for each step.
results=()
failed=0

# step NAME COMMAND… runs the command.
step() {
  local name=$1 began=$SECONDS code=0
  shift
  printf '==> %s\n' "$name"
  "$@" || code=$?
  if ((code == 0)); then
    results+=("$name: $((SECONDS - began)) s")
  else
    results+=("$name: FAILED with exit code $code after $((SECONDS - began)) s")
    failed=1
  fi
  printf '==> %s\n' "${results[-1]}"
  return "$code"
}

# summary prints a line for each step that ran, and the total.
summary() {
  printf '\n'
  if ((${#results[@]})); then printf '%s\n' "${results[@]}"; fi
  printf 'total: %d s\n' "$SECONDS"
}
