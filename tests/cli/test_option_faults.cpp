// Every option of the table, given wrongly on the command line: refused with exit code 2 and a message that
// names it, before anything is read or written. The cases are made from the table's own ranges.
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/options.hpp"

namespace vaecuda::test {
namespace {

/// The last number of a range in words ("a whole number from 1 to 1024"), and the first.
std::string last_number(std::string_view range) {
  const std::size_t start = range.find_last_of(' ');
  return std::string(range.substr(start + 1));
}
std::string first_number(std::string_view range) {
  const std::size_t start = range.find_first_of("0123456789");
  return std::string(range.substr(start, range.find(' ', start) - start));
}

/// Texts that the option must refuse.
std::vector<std::string> wrong_values(const Option& option) {
  switch (option.type) {
    case OptionType::integer: {
      std::vector<std::string> values = {"junk", "nan", "1.5", "-1", "99999999999999999999", "0x10", "1e3"};
      const std::int64_t least = std::stoll(first_number(option.range));
      const std::uint64_t most = std::stoull(last_number(option.range));
      values.push_back(std::to_string(least - 1));
      if (most < std::numeric_limits<std::uint64_t>::max()) values.push_back(std::to_string(most + 1));
      return values;
    }
    case OptionType::real: {
      std::vector<std::string> values = {"junk", "nan", "inf", "-0.5", "1e999", "-1e-300", "0x1p3"};
      values.push_back(std::to_string(std::stod(last_number(option.range)) * 1.001 + 1e-3));
      return values;
    }
    case OptionType::real_or_word:
      return {"junk", "nan", "inf", "-0.5", "1e999", "-1e-300", "0x1p3"};
    case OptionType::integer_list:
      return {"junk", "nan", "0", "-3", "8,,8", "99999999999999999999", "8,1e3", "16777217"};
    case OptionType::flag:
      return {"junk", "1", "yes", "nan", "TRUE"};
    case OptionType::choice:
      return {"junk", "nan", "1", "none of them"};
    case OptionType::text:
      break;
  }
  // A text with a form refuses what has another; any other text is one.
  if (option.range.empty()) return {};
  return {"junk", "nan", "-1", "1e999", "99999999999999999999"};
}

}  // namespace

TEST_CASE("the program refuses every wrong value of every option", "[cli][options]") {
  const TempDir dir;
  const std::string out = (dir.path() / "run").string();
  // Under a sanitizer a program takes long to start: there one in four, and all by what the program calls
  // (test_options.cpp).
  const int each = std::string_view(VAECUDA_SANITIZED).empty() ? 1 : 4;
  int cases = 0;
  const auto check = [&](const Option& option, const std::vector<std::string>& given) {
    if (cases++ % each != 0) return;
    std::vector<std::string> words = {"--data", "shapes:16x16,n=50", "--steps", "1"};
    if (option.flag == "--data") words.erase(words.begin(), words.begin() + 2);
    if (option.flag == "--steps") words.resize(words.size() - 2);
    if (option.flag != "--out") words.insert(words.end(), {"--out", out});
    words.insert(words.end(), given.begin(), given.end());
    const ProgramResult result = run_program(VAECUDA_TRAIN_PATH, words);
    INFO(given.front() << " " << (given.size() > 1 ? given[1] : "") << ": " << result.err);
    CHECK(result.exit_code == 2);
    CHECK(result.out.empty());
    CHECK(result.err.find(option.flag) != std::string::npos);
    CHECK_FALSE(std::filesystem::exists(out));
  };
  for (const Option& option : options()) {
    const std::string flag(option.flag);
    check(option, {flag + "="});
    if (option.type != OptionType::flag) check(option, {flag});
    for (const std::string& value : wrong_values(option)) check(option, {flag + "=" + value});
  }
  CHECK(cases > 200);
}

}  // namespace vaecuda::test
