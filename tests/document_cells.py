"""What a table of a document shows, in words that a test can look up."""

from typing import NamedTuple


class Block(NamedTuple):
    """Rows of a table that show the same.

    Attributes
    ----------
    columns
        For each cell behind the label what it shows: "SETTING | METRIC", with places for the words
        of the row; "SETTING | METRIC | FIELD" for another field than the mean; several of them
        with ";" between, where the cell has several numbers, or one that is that of all. Cells
        behind the last one are empty.
    rows
        Label -> words, or several with " | " between. A label has no "(KL 0.14)", which the test
        looks up itself; several cells have " | " between.
    """

    columns: list[str]
    rows: dict[str, str]


class Table(NamedTuple):
    """A table of a document.

    Attributes
    ----------
    document
        Its name.
    header
        The first line, as written.
    results
        The file of the results, or several with " + " between.
    blocks
        Which rows show what.
    labels
        How many cells of a row are its label.
    """

    document: str
    header: str
    results: str
    blocks: list[Block]
    labels: int = 1
