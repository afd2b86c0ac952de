#include "text_table.h"

#include <algorithm>
#include <sstream>

namespace lpdm {
namespace {

using Lines = std::vector<std::string>;

// How much of `text`, which is too long, to put on a line of `width`: up to its last space, or
// after its last comma, or all that fits.
std::size_t break_position(const std::string& text, std::size_t width) {
  const std::size_t position = text.find_last_of(" ,", width);
  if (position == std::string::npos || position == 0) return width;
  return text[position] == ',' ? std::min(position + 1, width) : position;
}

Lines wrap(const std::string& text, std::size_t width) {
  Lines lines;
  std::istringstream paragraphs(text);
  for (std::string rest; std::getline(paragraphs, rest);) {
    while (rest.size() > width) {
      const std::size_t end = break_position(rest, width);
      lines.push_back(rest.substr(0, end));
      rest.erase(0, rest[end] == ' ' ? end + 1 : end);
    }
    lines.push_back(rest);
  }
  return lines;
}

std::string join_line(const std::vector<Lines>& cells, const std::vector<std::size_t>& widths,
                      std::size_t line) {
  std::string text;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    std::string part = line < cells[c].size() ? cells[c][line] : "";
    part.resize(std::max(part.size(), widths[c]), ' ');
    text += part + "  ";
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

}  // namespace

std::string format_table(const std::vector<TableColumn>& columns,
                         const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<Lines>> wrapped(1);
  for (const TableColumn& column : columns) wrapped[0].push_back({column.title});
  for (const auto& row : rows) {
    wrapped.emplace_back();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      wrapped.back().push_back(wrap(row[c], columns[c].max_width));
    }
  }
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& row : wrapped) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      for (const std::string& line : row[c]) widths[c] = std::max(widths[c], line.size());
    }
  }
  std::string text;
  for (const auto& row : wrapped) {
    const std::size_t height = std::ranges::max_element(row, {}, &Lines::size)->size();
    for (std::size_t line = 0; line < height; ++line) text += join_line(row, widths, line);
  }
  return text;
}

}  // namespace lpdm
