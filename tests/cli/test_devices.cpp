// Which device a request comes to, for everything that CUDA may find; and the way to the CUDA module.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/plan/devices.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/files.hpp"
#include "tests/support/run_program.hpp"
#include "tests/support/temp_dir.hpp"
#include "vaecuda/error.hpp"

using namespace vaecuda;
namespace fs = std::filesystem;
using Status = DeviceProbe::Status;

namespace {

constexpr int kUsage = 2;
constexpr int kNoDevice = 5;

DeviceProbe probe_answer;
int probes = 0;

struct BackendRequest {
  int index;
  Precision precision;
  bool autotune;
};
std::optional<BackendRequest> backend_request;

DeviceProbe answer_probe() {
  ++probes;
  return probe_answer;
}
std::unique_ptr<Backend> note_backend(int index, Precision precision, bool autotune) {
  backend_request = {index, precision, autotune};
  return make_cpu_backend(1);
}
int machine_request = -1;
std::unique_ptr<Machine> note_machine(int index) {
  machine_request = index;
  return nullptr;
}
constexpr CudaModule kModule{.build = "",
                             .architectures = "75-real,80-real,90",
                             .probe = answer_probe,
                             .make_backend = note_backend,
                             .make_machine = note_machine};

CudaDevice gpu(int index, const std::string& name, int capability) {
  CudaDevice device;
  device.info = {.kind = DeviceKind::cuda,
                 .index = index,
                 .name = name,
                 .memory_bytes = std::int64_t{1} << 30,
                 .threads = 0,
                 .capability = capability};
  return device;
}

/// A way to CUDA that finds this.
CudaAccess access_to(Status status, std::vector<CudaDevice> devices = {}) {
  probe_answer = {.status = status,
                  .driver_version = 12020,
                  .runtime_version = 13000,
                  .detail = "",
                  .devices = std::move(devices)};
  probes = 0;
  backend_request.reset();
  return {&kModule, ""};
}

struct Refusal {
  int exit_code = 0;
  std::string text;
};
template <typename Work>
Refusal refusal_of(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    return {error.exit_code(), error.what()};
  }
  return {};
}

/// "cuda" is refused with this reason, and "auto" falls back to the CPU and gives it in one line.
void check_unusable(const CudaAccess& access, const std::string& reason) {
  const Refusal refusal = refusal_of([&] { static_cast<void>(choose_device("cuda", 1, access)); });
  CHECK(refusal.exit_code == kNoDevice);
  CHECK(refusal.text == "--device cuda: " + reason + "; use --device cpu or auto");
  const DeviceChoice choice = choose_device("auto", 1, access);
  CHECK(choice.device.kind == DeviceKind::cpu);
  CHECK(choice.note == "running on the CPU: " + reason);
  CHECK(choice.note.find('\n') == std::string::npos);
}

}  // namespace

TEST_CASE("a GPU that can be used is chosen", "[devices]") {
  const CudaAccess access = access_to(Status::ok, {gpu(0, "First GPU", 90), gpu(1, "Second GPU", 75)});
  for (const std::string request : {"auto", "cuda", "cuda:0"}) {
    INFO(request);
    const DeviceChoice choice = choose_device(request, 1, access);
    CHECK(choice.device.kind == DeviceKind::cuda);
    CHECK(choice.device.index == 0);
    CHECK(choice.device.name == "First GPU");
    CHECK(choice.device.capability == 90);
    CHECK(choice.note.empty());
  }
  CHECK(choose_device("cuda:1", 1, access).device.name == "Second GPU");
}

TEST_CASE("the CPU is chosen without a look at any GPU", "[devices]") {
  const CudaAccess access = access_to(Status::ok, {gpu(0, "First GPU", 90)});
  const DeviceChoice choice = choose_device("cpu", 3, access);
  CHECK(choice.device.kind == DeviceKind::cpu);
  CHECK(choice.device.threads == 3);
  CHECK(choice.note.empty());
  CHECK(probes == 0);
  CHECK(make_backend(choice.device, Precision::fp32, true, access)->device().threads == 3);
  CHECK_FALSE(backend_request.has_value());
}

TEST_CASE("a request that is no device is a mistake of the command line", "[devices]") {
  const CudaAccess access = access_to(Status::ok, {gpu(0, "First GPU", 90)});
  for (const std::string request :
       {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:01", "cuda:1x", "cuda: 1", "cuda:99999999999"}) {
    INFO(request);
    const Refusal refusal = refusal_of([&] { static_cast<void>(choose_device(request, 1, access)); });
    CHECK(refusal.exit_code == kUsage);
    CHECK(refusal.text ==
          "--device " + request + ": there is no such device; allowed are auto, cpu, cuda and cuda:N");
    CHECK(refusal_of([&] { static_cast<void>(choose_device(request)); }).exit_code == kUsage);
  }
  CHECK(probes == 0);
}

TEST_CASE("where there is no way to CUDA, its reason is given", "[devices]") {
  check_unusable({nullptr, "no NVIDIA driver on this machine (libcuda.so.1 not found)"},
                 "no NVIDIA driver on this machine (libcuda.so.1 not found)");
  DeviceInfo device;
  device.kind = DeviceKind::cuda;
  const Refusal refusal = refusal_of([&] {
    static_cast<void>(make_backend(device, Precision::fp32, false, CudaAccess{nullptr, "why"}));
  });
  CHECK(refusal.exit_code == kNoDevice);
  CHECK(refusal.text == "why");
}

TEST_CASE("a driver that is missing, too old, blind or broken is told apart", "[devices]") {
  check_unusable(access_to(Status::no_driver), "no NVIDIA driver is installed on this machine");
  check_unusable(access_to(Status::driver_too_old),
                 "the NVIDIA driver is too old: it serves CUDA 12.2, this build needs CUDA 13.0; update the "
                 "driver");
  const CudaAccess broken = access_to(Status::error);
  probe_answer.detail = "system not yet initialized";
  check_unusable(broken, "the NVIDIA driver does not start: system not yet initialized");
  const CudaAccess blind = access_to(Status::no_device);
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  check_unusable(blind, "the NVIDIA driver finds no GPU");
  ::setenv("CUDA_VISIBLE_DEVICES", "7", 1);
  check_unusable(blind, "the NVIDIA driver shows no GPU under CUDA_VISIBLE_DEVICES=7");
  ::unsetenv("CUDA_VISIBLE_DEVICES");
}

TEST_CASE("a GPU that is not there is refused with those that are", "[devices]") {
  const CudaAccess access = access_to(Status::ok, {gpu(0, "First GPU", 90), gpu(1, "Second GPU", 80)});
  const Refusal refusal = refusal_of([&] { static_cast<void>(choose_device("cuda:2", 1, access)); });
  CHECK(refusal.exit_code == kNoDevice);
  CHECK(refusal.text ==
        "--device cuda:2: there is no such GPU; this machine has cuda:0 First GPU, cuda:1 Second GPU; use "
        "--device cpu or auto");
}

TEST_CASE("a GPU that this build cannot serve is refused by name", "[devices]") {
  check_unusable(access_to(Status::ok, {gpu(0, "Tesla P100", 60)}),
                 "Tesla P100 (sm_60) is too old: a GPU of sm_75 or newer is needed");
  static constexpr CudaModule kNarrow{.build = "",
                                      .architectures = "80-real,90-real",
                                      .probe = answer_probe,
                                      .make_backend = note_backend,
                                      .make_machine = note_machine};
  CudaAccess narrow = access_to(Status::ok, {gpu(0, "Tesla T4", 75)});
  narrow.module = &kNarrow;
  check_unusable(
      narrow,
      "this build has no kernels for Tesla T4 (sm_75), only for 80-real,90-real; configure it with "
      "-DCMAKE_CUDA_ARCHITECTURES=75");
  CudaDevice closed = gpu(0, "First GPU", 90);
  closed.unfit = "its compute mode forbids computing";
  check_unusable(access_to(Status::ok, {closed}), "First GPU: its compute mode forbids computing");
}

TEST_CASE("a build's code runs on the architectures that it was made for and their heirs", "[devices]") {
  const auto runs = [](const char* architectures, int capability) {
    return has_code_for(architectures, capability);
  };
  CHECK(runs("75-real,80-real,90", 75));
  CHECK(runs("75-real,80-real,90", 86));
  CHECK(runs("75-real,80-real,90", 90));
  CHECK(runs("75-real,80-real,90", 100));  // by PTX
  CHECK(runs("75-real,80-real,90", 120));
  CHECK_FALSE(runs("75-real,80-real,90", 72));
  CHECK_FALSE(runs("80-real,90-real", 75));
  CHECK_FALSE(runs("80-real,90-real", 100));
  CHECK_FALSE(runs("86-real", 80));
  CHECK(runs("80-virtual", 90));
  CHECK_FALSE(runs("90a-real", 100));
  CHECK(runs("90a", 90));
  CHECK(runs("100f-real", 103));
  CHECK_FALSE(runs("100f-real", 120));
  CHECK(runs("native", 89));
  CHECK_FALSE(runs("", 90));
}

TEST_CASE("the backend is asked for what was chosen", "[devices]") {
  const CudaAccess access = access_to(Status::ok, {gpu(0, "First GPU", 90), gpu(1, "Second GPU", 75)});
  const DeviceInfo second = choose_device("cuda:1", 1, access).device;
  CHECK(make_backend(second, Precision::fp32, true, access) != nullptr);
  REQUIRE(backend_request.has_value());
  CHECK(backend_request->index == 1);
  CHECK(backend_request->precision == Precision::fp32);
  CHECK(backend_request->autotune);
  CHECK(make_backend(choose_device("cuda", 1, access).device, Precision::bf16, false, access) != nullptr);
  CHECK(backend_request->index == 0);
  CHECK(backend_request->precision == Precision::bf16);
  CHECK_FALSE(backend_request->autotune);
  static_cast<void>(make_machine(second, access));
  CHECK(machine_request == 1);
  CHECK(refusal_of([&] {
          static_cast<void>(make_machine(second, CudaAccess{nullptr, "why"}));
        }).text == "why");
}

TEST_CASE("a precision that the device lacks is refused", "[devices]") {
  const CudaAccess access = access_to(Status::ok, {gpu(0, "Tesla T4", 75)});
  const DeviceInfo turing = choose_device("cuda", 1, access).device;
  const Refusal bf16 =
      refusal_of([&] { static_cast<void>(make_backend(turing, Precision::bf16, false, access)); });
  CHECK(bf16.exit_code == kNoDevice);
  CHECK(bf16.text ==
        "--precision bf16: Tesla T4 (sm_75) has no such products; use --precision fp32 or a GPU of sm_80 or "
        "newer");
  CHECK_FALSE(backend_request.has_value());
  const DeviceInfo cpu = choose_device("cpu", 1, access).device;
  const Refusal tf32 =
      refusal_of([&] { static_cast<void>(make_backend(cpu, Precision::tf32, false, access)); });
  CHECK(tf32.exit_code == kNoDevice);
  CHECK(tf32.text == "--precision tf32: the CPU computes in fp32 only; use --precision fp32 or a GPU");
}

TEST_CASE("no library of CUDA is loaded unless a GPU is wanted", "[devices]") {
  // The dynamic loader tells every file that it opens, be it the program's own or one that it asks for later.
  test::TempDir folder;
  test::ProgramOptions told;
  told.environment["LD_DEBUG"] = "files";
  const std::vector<std::vector<std::string>> calls = {
      {"--help"},
      {"--version"},
      {"--data", "shapes:16x16x1,n=100", "--hidden", "8", "--epochs", "1", "--device", "cpu", "--out",
       (folder.path() / "run").string()}};
  for (const std::vector<std::string>& words : calls) {
    INFO(words.front());
    const test::ProgramResult result = test::run_program(VAECUDA_TRAIN_PATH, words, told);
    CHECK(result.exit_code == 0);
    REQUIRE(result.err.find("libc.so") != std::string::npos);
    for (const char* file :
         {"libcuda.so", "libcudart", "libcublas", "libcurand", "libnvrtc", "libvaecuda_cuda"}) {
      INFO(file);
      CHECK(result.err.find(file) == std::string::npos);
    }
  }
}

TEST_CASE("the module is looked for near the program, never by its bare name", "[devices]") {
  const std::vector<fs::path> places = cuda_module_places();
  REQUIRE(places.size() >= 2);
  CHECK(places[0].parent_path() == fs::read_symlink("/proc/self/exe").parent_path());
  CHECK(places[1] == places[0].parent_path().parent_path() / "lib" / "libvaecuda_cuda.so");
  for (const fs::path& place : places) CHECK(place.is_absolute());
}

TEST_CASE("a module that is not there, or is none, is refused in one line", "[devices]") {
  test::TempDir folder;
  const fs::path here = folder.path() / "libvaecuda_cuda.so";
  const fs::path there = folder.path() / "lib" / "libvaecuda_cuda.so";
  const CudaAccess missing = open_cuda_module({here, there});
  CHECK(missing.module == nullptr);
  CHECK(missing.reason == "the CUDA backend libvaecuda_cuda.so is missing; looked in " +
                              folder.path().string() + ", " + there.parent_path().string());
  test::write_file(here, "text");
  const CudaAccess text = open_cuda_module({there, here});
  CHECK(text.module == nullptr);
  CHECK(text.reason.find("cannot open the CUDA backend: " + here.string()) == 0);
  CHECK(text.reason.find('\n') == std::string::npos);
  const CudaAccess other = open_cuda_module({VAECUDA_OTHER_MODULE});
  CHECK(other.module == nullptr);
  CHECK(other.reason == std::string(VAECUDA_OTHER_MODULE) + " is no CUDA backend of vaecuda");
}

TEST_CASE("a module of another build is refused with both builds", "[devices]") {
  const CudaAccess stale = open_cuda_module({VAECUDA_STALE_MODULE});
  CHECK(stale.module == nullptr);
  CHECK(stale.reason == std::string(VAECUDA_STALE_MODULE) +
                            " belongs to another build of vaecuda (0.0.1 another-compiler 0123456789ab) than "
                            "this program (" +
                            cuda_module_build() + "); install both from the same one");
}

TEST_CASE("a module of this build is opened, and its errors are ours", "[devices]") {
  const CudaAccess access = open_cuda_module({VAECUDA_FIT_MODULE, VAECUDA_STALE_MODULE});
  REQUIRE(access.module != nullptr);
  CHECK(access.reason.empty());
  const DeviceChoice choice = choose_device("auto", 1, access);
  CHECK(choice.device.name == "Loaded GPU");
  CHECK_THROWS_AS(make_backend(choice.device, Precision::fp32, false, access), OutOfMemoryError);
  CHECK(refusal_of([&] {
          static_cast<void>(make_backend(choice.device, Precision::fp32, false, access));
        }).text == "no memory behind the border");
}
