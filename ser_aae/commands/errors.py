"""`ser-aae errors`: the wrong answers of a run or of an experiment, the confident ones first."""

import argparse
from pathlib import Path

from ser_aae.commands.options import Subparsers, add_options, count, folder, new_table
from ser_aae.progress import show_line


def add_parser(commands: Subparsers) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "errors",
        help="the wrong answers of a run or of all its folds, the most confident first",
        description="Print the test utterances that were taken for another class, the most "
        "confident answers first, and recall by class, speaker and gender. Where several "
        "repetitions tested an utterance, their posteriors are averaged. Files are named where "
        "the store has the corpus.",
    )
    parser.add_argument(
        "folder", type=folder, metavar="RUN", help="a run's folder, or the one its folds lie in"
    )
    parser.add_argument("--most", type=count, default=20, metavar="N", help="rows printed (20)")
    parser.add_argument(
        "--csv",
        type=new_table,
        metavar="FILE",
        help="write all wrong answers there, with posteriors",
    )
    add_options(parser, "store")
    parser.set_defaults(run=run, resumes=False, writes="csv")


def run(arguments: argparse.Namespace) -> None:
    """Print the tables, and write the file that is asked for."""
    from ser_aae.files.atomic import write_bytes
    from ser_aae.results.complete_run import read_config
    from ser_aae.results.evaluation import evaluate_answers
    from ser_aae.results.text import align, count_of
    from ser_aae.results.wrong_answers import (
        GROUPS,
        average_runs,
        find_utterances,
        find_wrong,
        name_files,
        recall_rows,
        wrong_rows,
    )

    evaluation, frames = evaluate_answers(arguments.folder)
    classes = evaluation["classes"]
    answers = average_runs(frames, classes)
    first = Path(evaluation.get("runs", [evaluation])[0]["folder"])
    config = read_config(first)
    advised = {config.stored_name(name): config.advised_name(name) for name in config.datasets}
    found, absent = find_utterances(answers, arguments.store, config.frontend, advised)
    for reason in absent:
        show_line(f"utterances are named and not their files: {reason}")
    wrong = name_files(find_wrong(answers), found)
    share = 100 * len(wrong) / len(answers)
    tested = count_of(len(answers), "test utterance")
    print(f"{len(wrong)} of {tested} taken for another class ({share:.1f} %)")
    tables = [wrong_rows(wrong, arguments.most)] if len(wrong) else []
    tables += [recall_rows(answers, group, classes) for group in GROUPS]
    for table in tables:
        print("\n" + "\n".join(align(table)))
    if arguments.csv:
        write_bytes(arguments.csv, wrong.to_csv(index=False).encode())
        print(arguments.csv)
