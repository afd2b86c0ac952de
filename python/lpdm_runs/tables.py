"""Tables, as lines of text, as Markdown and as HTML."""

import html
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells of text, row by row, the headings first. The first `left` columns begin at one place,
    the others, numbers, end there."""
    rows: list
    left: int

    def as_text(self):
        widths = [max(map(len, column)) for column in zip(*self.rows)]
        return "\n".join(
            "  ".join(cell.ljust(width) if i < self.left else cell.rjust(width)
                      for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in self.rows)

    def as_markdown(self):
        head, *body = self.rows
        rule = ["---" if i < self.left else "---:" for i in range(len(head))]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
                         for row in (head, rule, *body))

    def as_html(self):
        head, *body = self.rows
        lines = [f"<tr>{self._cells('th', head)}</tr>",
                 *(f"<tr>{self._cells('td', row)}</tr>" for row in body)]
        return '<div class="wide"><table>' + "\n".join(lines) + "</table></div>"

    def _cells(self, tag, row):
        return "".join(f"<{tag}>{html.escape(cell)}</{tag}>" if i < self.left else
                       f'<{tag} class="number">{html.escape(cell)}</{tag}>'
                       for i, cell in enumerate(row))
