#!/usr/bin/env bash
# Explores the model of positions and resume completely: every state of every configuration in tests/PushNode.Tests/History/Model. The tests
# of every day explore only the small ones. It takes a minute or two and 2 GB of memory.
#   tests/model.sh            the invariants, in every configuration
#   tests/model.sh --wrong    the wrong variants, each with the shortest way to what it breaks
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 PUSH_MODEL=complete

tests=The_invariants_hold_in_every_state
if [[ ${1:-} == --wrong ]]; then tests=A_wrong_protocol_is_caught; fi
dotnet build tests/PushNode.Tests --configuration Release --verbosity quiet
tests/PushNode.Tests/bin/Release/net10.0/PushNode.Tests -method "*.ModelTests.$tests" -showLiveOutput -noColor -parallel none
