#!/usr/bin/env bash
# Builds the image and uses it as a reader of the README would. Needs a Docker engine and the base
# image; `make docker-test` runs it. Prints what it checks; ends with the first thing that is not so.
set -euo pipefail
cd "$(dirname "$0")/.."

docker=${DOCKER:-docker}
scratch=$(mktemp -d)
name=ser-aae-test-$$
trap '"$docker" rm --force "$name" > /dev/null 2>&1 || true; rm -rf "$scratch"' EXIT
me="$(id -u):$(id -g)"
mkdir -p "$scratch"/{data,store,runs}

say() { printf '\n== %s\n' "$*"; }
fail() { echo "docker.sh: $*" >&2; exit 1; }
expect() { # expect CODE TEXT COMMAND...: the command ends with CODE and says TEXT
    local code=$1 text=$2 came=0
    shift 2
    "$@" > "$scratch/said" 2>&1 || came=$?
    [ "$came" = "$code" ] || { cat "$scratch/said"; fail "expected exit code $code, got $came: $*"; }
    grep -q -- "$text" "$scratch/said" || { cat "$scratch/said"; fail "expected '$text' from: $*"; }
}
run() { "$docker" run --rm --user "$me" \
    -v "$scratch/data:/data:ro" -v "$scratch/store:/store" -v "$scratch/runs:/runs" "$@"; }

say "the image builds and is under 2.2 GB"
"$docker" build -t ser-aae .
size=$("$docker" image inspect --format '{{.Size}}' ser-aae)
echo "$((size / 1000000)) MB"
[ "$size" -lt 2200000000 ] || fail "the image has $size bytes"

say "without data, train --dataset msp says what to mount and ends with 2"
expect 2 'docker run --user .* -v /my/corpora:/data:ro' "$docker" run --rm ser-aae train --dataset msp
expect 2 'unrecognized' "$docker" run --rm ser-aae train --datset msp
expect 2 'expected cpu or gpu' "$docker" build -q --build-arg TENSORFLOW=tpu .

say "places that cannot be written are told with what mends them"
expect 2 'root owns what is mounted at /store' "$docker" run --rm --user 4711:4711 \
    -v "$scratch/made-by-docker:/store" ser-aae prepare --dataset demo
expect 2 '/data is mounted read-only' run ser-aae synthesise --dataset demo

say "--dataset demo runs whole, as the image's own user; its results are copied out"
small=(--epochs 1 --set training.pretraining_epochs=1 --set 'model.filters=8,8' --set model.latent_channels=8)
demo=(train --dataset demo --protocol loso-session)
expect 0 '^/runs/' "$docker" run --name "$name" ser-aae "${demo[@]}" "${small[@]}"
copy=$(grep -o 'docker cp .*' "$scratch/said")
(cd "$scratch" && mkdir copied && cd copied && $copy)
[ -s "$(find "$scratch/copied/runs" -name result.json)" ] || fail "nothing copied by: $copy"
"$docker" rm --force --volumes "$name" > /dev/null

say "a tree in the layout of MSP-IMPROV, mounted read-only, trains; the results are the caller's"
"$docker" run --rm --user "$me" -v "$scratch/data:/data" ser-aae \
    synthesise --dataset msp --data-root /data --speakers 6
expect 0 '^/runs/' run ser-aae train --dataset msp --allow-partial --protocol loso-session "${small[@]}"
result=$(find "$scratch/runs" -name result.json)
[ -s "$result" ] || fail "no result.json under /runs"
[ "$(stat -c '%u:%g' "$result")" = "$me" ] || fail "$result is not owned by $me"
trained="/runs/$(dirname "${result#"$scratch/runs/"}")"
expect 0 'UA' run ser-aae evaluate "$trained"
expect 0 'tensorflow [0-9]' run ser-aae card "$trained"
recording=$(find "$scratch/data" -name '*.wav' -print -quit)
expect 0 'of it speech' run ser-aae predict "$trained" "/data/${recording#"$scratch/data/"}"
expect 0 'index.html' run ser-aae report --runs /runs --out /runs/report

say "Ctrl-C and docker stop end a training, and the same command goes on"
train() {
    run --name "$name" ser-aae train --dataset msp --allow-partial --protocol loso-session --fold 1 \
        --epochs 500 "${small[@]:2}" > "$scratch/said" 2>&1
}
begin() { # begin COMMAND...: in the background; what was said before is forgotten
    : > "$scratch/said"
    "$@" &
}
await() { # await TEXT: until the training says it, however slow the machine is
    until grep -q -- "$1" "$scratch/said"; do
        kill -0 "$!" 2> /dev/null || { cat "$scratch/said"; fail "ended without '$1'"; }
        sleep 1
    done
}
begin train
await 'stage 2 epoch 2/'
ends() { # ends CODE COMMAND...: the command ends the training with CODE
    local code=$1 came=0
    shift
    "$@" "$name" > /dev/null
    wait "$!" || came=$?
    [ "$came" = "$code" ] || { cat "$scratch/said"; fail "expected $code after $*, got $came"; }
}
says_same() { grep -q 'the same command goes on' "$scratch/said" || fail "no word of going on"; }
ends 130 "$docker" kill --signal INT
says_same
begin train
await 'stage 2: goes on after epoch'
await 'stage 2 epoch'
ends 143 "$docker" stop
says_same

say "without folders, docker start goes on as the advice says"
alone() { "$docker" run --name "$name" ser-aae "${demo[@]}" --epochs 500 "${small[@]:2}" \
    > "$scratch/said" 2>&1; }
begin alone
await 'stage 2 epoch 2/'
ends 130 "$docker" kill --signal INT
start=$(grep -o 'docker start .*' "$scratch/said") || fail "it does not say docker start"
restart() { $start > "$scratch/said" 2>&1; }
begin restart
await 'stage 2: goes on after epoch'
ends 143 "$docker" stop
"$docker" rm --force --volumes "$name" > /dev/null

say "all of it is so"
