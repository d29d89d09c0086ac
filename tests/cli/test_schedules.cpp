// Schedules as the values of options: of the KL's weight and of the learning rate.
#include <map>
#include <string>
#include <string_view>

#include "tests/cli/option_texts.hpp"
#include "tests/support/catch.hpp"
#include "vaecuda/options.hpp"

using namespace vaecuda;
using test::by_flag;
using test::refusal;
using test::stored;

TEST_CASE("schedules of the KL's weight are read and written", "[options]") {
  const Option& schedule = by_flag("--beta-schedule");
  const std::map<std::string, std::string> texts = {
      {"constant", "constant"},
      {"linear:steps=500", "linear:steps=500"},
      {"cyclical:period=40", "cyclical:period=40,ramp=0.5"},
      {"cyclical:ramp=1,period=40", "cyclical:period=40,ramp=1"},
  };
  for (const auto& [text, written] : texts) {
    INFO(text);
    CHECK(stored(schedule, text) == written);
    CHECK(stored(schedule, written) == written);
  }
  for (const std::string text : {"linear", "linear:", "linear:steps=0", "linear:steps=1.5",
                                 "linear:steps=3,steps=4", "linear:period=3", "constant:", "constant:steps=3",
                                 "cyclical", "cyclical:ramp=0.5", "cyclical:period=10,ramp=0",
                                 "cyclical:period=10,ramp=1.1", "cyclical:period=10,ramp=nan", "sawtooth"}) {
    INFO(text);
    CHECK_FALSE(refusal(schedule, text).empty());
  }
  CHECK(refusal(schedule, "linaer:steps=3").find("did you mean linear?") != std::string::npos);
  CHECK(refusal(schedule, "linear:step=3").find("did you mean steps?") != std::string::npos);
}

TEST_CASE("learning-rate schedules are read and written", "[options]") {
  const Option& schedule = by_flag("--lr-schedule");
  const std::map<std::string, std::string> good{
      {"constant", "constant"},
      {"cosine", "cosine:warmup=0,min=0"},
      {"cosine:warmup=100", "cosine:warmup=100,min=0"},
      {"cosine:min=0.1,warmup=5", "cosine:warmup=5,min=0.1"},
      {"exponential:gamma=0.95", "exponential:gamma=0.95"},
      {"exponential:gamma=1", "exponential:gamma=1"},
      {"stages:10=1e-4", "stages:10=1e-04"},
      {"stages:0=0.5,10=0.25,20=0.125", "stages:0=0.5,10=0.25,20=0.125"}};
  for (const auto& [text, written] : good) {
    INFO(text);
    CHECK(stored(schedule, text) == written);
    CHECK(stored(schedule, written) == written);
  }
  for (const std::string_view text : {"cosin",
                                      "constant:",
                                      "constant:x=1",
                                      "cosine:",
                                      "cosine:warmup",
                                      "cosine:warmup=",
                                      "cosine:=1",
                                      "cosine:warmup=-1",
                                      "cosine:warmup=010",
                                      "cosine:warmup=1,warmup=2",
                                      "cosine:min=1.5",
                                      "cosine:gamma=1",
                                      "cosine:warmup=1,",
                                      "exponential",
                                      "exponential:",
                                      "exponential:gamma=0",
                                      "exponential:gamma=1.1",
                                      "exponential:gamma=nan",
                                      "stages",
                                      "stages:",
                                      "stages:10",
                                      "stages:10=0",
                                      "stages:10=inf",
                                      "stages:10=1e-4,10=1e-5",
                                      "stages:20=1e-4,10=1e-5",
                                      "stages:x=1",
                                      "stages:-1=1",
                                      "Cosine",
                                      "cosine "}) {
    INFO(text);
    CHECK_FALSE(refusal(schedule, text).empty());
  }
  CHECK(refusal(schedule, "cosin:min=0").find("did you mean cosine?") != std::string::npos);
  CHECK(refusal(schedule, "cosine:warmpu=3").find("did you mean warmup?") != std::string::npos);
}
