"""`pixelmine mine`: one file a finding."""

import typer

from . import (
    mine_associations,
    mine_clusters,
    mine_drift,
    mine_duplicates,
    mine_label_errors,
    mine_next,
    mine_outliers,
    mine_plan,
    mine_quality,
    mine_report,
)

app = typer.Typer(
    name="mine",
    help="What is in a collection, what is wrong with it, and what has changed.",
    no_args_is_help=True,
)

app.command("duplicates")(mine_duplicates.duplicates)
app.command("not-duplicates")(mine_duplicates.not_duplicates)
app.add_typer(mine_plan.app)
app.command("quality")(mine_quality.quality)
app.command("associations")(mine_associations.associations)
app.command("report")(mine_report.report)
app.command("table")(mine_report.table)
app.command("drift")(mine_drift.drift)
app.command("label-errors")(mine_label_errors.label_errors)
app.command("outliers")(mine_outliers.outliers)
app.command("clusters")(mine_clusters.clusters)
app.command("next")(mine_next.next_pictures)
