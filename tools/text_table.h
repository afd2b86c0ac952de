// Plain-text tables with wrapped cells.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace lpdm {

struct TableColumn {
  std::string title;
  std::size_t max_width;  // [characters] cells are wrapped to it
};

// The table with its title line; each line ends in a newline. A cell may have several lines; rows
// have as many cells as there are columns.
std::string format_table(const std::vector<TableColumn>& columns,
                         const std::vector<std::vector<std::string>>& rows);

}  // namespace lpdm
