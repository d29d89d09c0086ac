"""What a machine may have instead of the tools that the build wants: every answer is one line that says what to do.

Only configures, and in one folder, so that all but the first run take about a second. The compilers are stand-ins, made
on the spot: scripts that answer as NVIDIA's nvcc of that version does.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import SOURCE, Case, main

CMAKE = shutil.which("cmake")
NVCC = shutil.which("nvcc") or shutil.which("/usr/local/cuda/bin/nvcc")
REAL_GCC = shutil.which("g++")

# What compilers say when they are asked to compile: nvcc 11.5, nvcc 13.0, and the C preprocessor of g++.
UNKNOWN_ARCHITECTURE = "nvcc fatal   : Unsupported gpu architecture 'compute_90'"
UNSUPPORTED_HOST = """In file included from /usr/local/cuda/include/cuda_runtime.h:82,
                 from <command-line>:
/usr/local/cuda/include/crt/host_config.h:137:2: error: #error -- unsupported GNU version! gcc versions later than 15 are not supported!"""
NO_HOST = "nvcc fatal   : Failed to preprocess host compiler properties."
NO_CUBLAS = """probe.cu:1:10: fatal error: cublasLt.h: No such file or directory
    1 | #include <cublasLt.h>
compilation terminated."""
NO_CUBLAS_LIBRARY = "/usr/bin/ld: cannot find -lcublasLt: No such file or directory\ncollect2: error: ld returned 1 exit status"
NO_RUNTIME = "/usr/bin/ld: cannot find -lcudart_static: No such file or directory"
NO_CICC = "sh: 1: cicc: not found"


class SetUp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="vaecuda-case-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        code, output = cls.configure("-DVAECUDA_CUDA=OFF")
        assert code == 0, output

    @classmethod
    def configure(cls, *options, path=None, build="build", **environment):
        """CMake's exit code and output; path: a folder put before the others in PATH."""
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("CUDA", "NVCC_", "VAECUDA_", "CXX", "CC"))}
        if path:
            kept["PATH"] = f"{path}{os.pathsep}{kept['PATH']}"
        done = subprocess.run(
            [CMAKE, "-S", SOURCE, "-B", cls.folder / build, "-DBUILD_TESTING=OFF", "-U", "CMAKE_CUDA_*", *options],
            env={**kept, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def script(self, name, text, mode=0o755):
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        path = folder / name
        path.write_text("#!/bin/sh\n" + text)
        path.chmod(mode)
        return path

    def nvcc(self, version, complaint, gnu="120200"):
        """An nvcc of that version which compiles nothing, for that reason, with g++ of version `gnu` below it."""
        return self.script("nvcc", f"""case "$*" in
  *--version*) echo "Cuda compilation tools, release {version}, V{version}.119";;
  *--dryrun*) echo '#$ cudafe++ --c++20 --gnu_version={gnu} --display_error_number' >&2;;
  *) cat >&2 <<'END'
{complaint}
END
     exit 1;;
esac
""")

    def assert_reason(self, reason, *options, **how):
        """AUTO goes on without CUDA and gives the reason in one line; ON stops with the same line and nothing else."""
        code, output = self.configure("-DVAECUDA_CUDA=AUTO", *options, **how)
        self.assertEqual(code, 0, output)
        self.assertNotIn("CMake Error", output)
        told = [line for line in output.splitlines() if "vaecuda:" in line]
        self.assertEqual(len(told), 1, output)
        self.assertIn(f"-- vaecuda: CPU build, {reason}", told[0])

        code, output = self.configure("-DVAECUDA_CUDA=ON", *options, **how)
        self.assertEqual(code, 1, output)
        self.assertEqual(output.count("CMake Error"), 1, output)
        told = [line for line in output.splitlines() if "VAECUDA_CUDA=ON, but" in line]
        self.assertEqual(len(told), 1, output)
        self.assertIn(f"VAECUDA_CUDA=ON, but {reason}", told[0])
        self.assertNotIn("CMakeTestCUDACompiler", output)

    def test_nvcc_older_than_the_minimum(self):
        too_old = "nvcc 11.5 is too old; a GPU build needs nvcc 12.4 or newer: install"
        nvcc = self.nvcc("11.5", UNKNOWN_ARCHITECTURE)
        self.assert_reason(too_old, path=nvcc.parent)
        self.assert_reason(too_old, CUDACXX=str(nvcc))
        self.assert_reason(too_old, f"-DCMAKE_CUDA_COMPILER={nvcc}")

    def test_nvcc_without_an_architecture(self):
        nvcc = self.nvcc("13.0", UNKNOWN_ARCHITECTURE)
        self.assert_reason("nvcc 13.0 does not know the architecture 90; set CMAKE_CUDA_ARCHITECTURES", path=nvcc.parent)

    def test_host_compiler_newer_than_nvcc(self):
        nvcc = self.nvcc("12.4", UNSUPPORTED_HOST, gnu="160200")
        line = ("nvcc 12.4 does not work with the host compiler g++ 16.2; "
                "set CMAKE_CUDA_HOST_COMPILER, or -DVAECUDA_CUDA=OFF")
        self.assert_reason(line, path=nvcc.parent)
        self.assert_reason(line, CUDACXX=str(nvcc))

    @unittest.skipUnless(NVCC, "needs an nvcc")
    def test_host_compiler_newer_than_the_real_nvcc(self):
        host = self.script("g++99", f'exec {REAL_GCC} -U__GNUC__ -D__GNUC__=99 "$@"\n')
        version = subprocess.run([NVCC, "--version"], capture_output=True, text=True, check=True).stdout
        short = version.split("release ")[1].split(",")[0]
        code, output = self.configure("-DVAECUDA_CUDA=AUTO", NVCC_CCBIN=str(host), CUDACXX=NVCC)
        self.assertEqual(code, 0, output)
        self.assertIn(f"-- vaecuda: CPU build, nvcc {short} does not work with the host compiler g++ 99.", output)
        self.assertNotIn("CMake Error", output)

    def test_no_host_compiler(self):
        nvcc = self.nvcc("12.4", NO_HOST)
        self.assert_reason("nvcc 12.4 does not work with the host compiler", path=nvcc.parent)

    def test_part_of_a_toolkit(self):
        for complaint, reason in [
                (NO_CUBLAS, "the toolkit of nvcc 12.6 lacks cublasLt; install"),
                (NO_CUBLAS_LIBRARY, "the toolkit of nvcc 12.6 lacks cublasLt; install"),
                (NO_RUNTIME, "the toolkit of nvcc 12.6 lacks the CUDA runtime; install"),
                (NO_CICC, "nvcc 12.6 cannot compile a program: sh: 1: cicc: not found; the whole output is in")]:
            with self.subTest(complaint):
                self.assert_reason(reason, path=self.nvcc("12.6", complaint).parent)

    def test_nvcc_that_does_not_run(self):
        broken = self.script("nvcc", "echo 'nvcc: error while loading shared libraries: libx.so' >&2; exit 127\n")
        self.assert_reason(f"{broken} does not run (127: nvcc: error while loading shared libraries", path=broken.parent)
        other = self.script("nvcc", "echo 'clang version 17'\n")
        self.assert_reason(f"{other} is not NVIDIA's nvcc", CUDACXX=str(other))

    def test_name_of_nothing(self):
        missing = self.folder / "nowhere" / "nvcc"
        self.assert_reason(f"CUDACXX={missing} names no program", CUDACXX=str(missing))
        self.assert_reason(f"CMAKE_CUDA_COMPILER={missing} names no program", f"-DCMAKE_CUDA_COMPILER={missing}")
        plain = self.script("nvcc", "exit 0\n", mode=0o644)
        self.assert_reason(f"CUDACXX={plain} names no program", CUDACXX=str(plain))

    def test_old_compiler(self):
        old = self.script("g++", f'exec {REAL_GCC} -U__GNUC__ -D__GNUC__=10 "$@"\n')
        code, output = self.configure(f"-DCMAKE_CXX_COMPILER={old}", build="old")
        self.assertEqual(code, 1, output)
        self.assertRegex(output, r"vaecuda: g\+\+ 10[.0-9]* is too old: 11 or newer is needed")
        self.assertEqual(output.count("CMake Error"), 1, output)

    def test_missing_packages_are_named_together(self):
        missing = {"CMAKE_DISABLE_FIND_PACKAGE_PNG": "ON", "CMAKE_DISABLE_FIND_PACKAGE_fmt": "ON", "VAECUDA_toml_INCLUDE": ""}
        self.addCleanup(self.configure, "-DVAECUDA_CUDA=OFF", *[f"-U{name}" for name in missing])
        code, output = self.configure("-DVAECUDA_CUDA=OFF", *[f"-D{name}={value}" for name, value in missing.items()])
        self.assertEqual(code, 1, output)
        self.assertIn("vaecuda: not found: libpng, toml++/toml.h, fmt\n", output)
        self.assertIn("apt-get install libpng-dev libtomlplusplus-dev libfmt-dev ", output)
        self.assertEqual(output.count("CMake Error"), 1, output)


class Scripts(Case):
    """tools/quickstart.sh and tools/check.sh themselves, in a tree where all that they call is a stand-in."""

    def setUp(self):
        super().setUp()
        self.path = self.folder / "path"
        for name in ["quickstart.sh", "check.sh", "common.sh"]:
            self.program(f"tree/tools/{name}", (SOURCE / "tools" / name).read_text())
        self.program("tree/tools/setup.sh", "")
        # Notes how it is called, and makes what a build makes.
        self.program("path/cmake", r"""
echo "$@" >>"$(dirname "$0")/../calls"
if [[ $1 == -S ]]; then echo "-- vaecuda: ${CONFIGURED:-CPU build}"; fi
mkdir -p build/quickstart/bin
cat >build/quickstart/bin/vae_cuda_train <<'END'
#!/bin/bash
mkdir -p runs/quickstart
touch runs/quickstart/{report.html,model.safetensors}
END
chmod +x build/quickstart/bin/vae_cuda_train
""")

    def program(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(0o755)

    def run_script(self, name, *words, **environment):
        result = self.shell(f"tree/tools/{name} {' '.join(words)}",
                            environment={"PATH": f"{self.path}:/usr/bin:/bin", **environment})
        calls = self.folder / "calls"
        return result, calls.read_text() if calls.exists() else ""

    @unittest.skipIf(Path("/dev/nvidia0").exists(), "a card is here")
    def test_quickstart_without_a_card(self):
        result, calls = self.run_script("quickstart.sh")
        self.assert_done(result, "no NVIDIA card with a driver is here, so nothing is built for one; "
                                 "to do so anyway: tools/quickstart.sh --gpu")
        self.assertIn("-DVAECUDA_CUDA=OFF", calls)
        self.assertTrue(calls.strip().endswith("--target vae_cuda_train vae_cuda"), calls)
        listed = result.out[result.out.index("== Done"):].splitlines()
        self.assertEqual(listed[1].split(), ["Report:", "runs/quickstart/report.html"])

    def test_quickstart_builds_for_the_cards_that_are_here(self):
        self.program("path/nvidia-smi", "printf '%s\\n' 9.0 8.6 9.0")
        result, calls = self.run_script("quickstart.sh", CONFIGURED="CUDA 12.6, architectures 86-real;90-real")
        self.assert_done(result)
        self.assertIn("-DVAECUDA_CUDA=AUTO -DCMAKE_CUDA_ARCHITECTURES=86-real;90-real", calls)
        self.assertTrue(calls.strip().endswith("--target vae_cuda_train vae_cuda vaecuda_cuda"), calls)
        _, calls = self.run_script("quickstart.sh", "--cpu")
        self.assertIn("-DVAECUDA_CUDA=OFF", calls)

    def test_check_charges_its_parts(self):
        closing = "100% tests passed, 0 tests failed out of 1\n\nTotal Test time (real) = 0 sec\n"
        self.program("tree/tests/lint/check_includes.sh", "")
        self.program("tree/tools/setup.sh", "")
        for folder in ["include", "host", "kernels", "tools"]:
            (self.folder / "tree" / folder).mkdir(exist_ok=True)
        self.program("path/clang-format-14", "")
        self.program("path/ctest", f"echo 'Start 1'; cat <<'END'\n{closing}END\n")
        result, calls = self.run_script("check.sh", "--quick", CHECK_ALLOWANCE="0")
        self.assert_done(result)
        self.assertIn("-DCMAKE_CUDA_ARCHITECTURES=", calls)
        for part in ["packages", "rules", "build", "tests"]:
            self.assertRegex(result.out, rf"(?m)^{part} +[0-9]+ s of processor time$")
        self.assertTrue(result.out.endswith(closing), str(result))

        # Of the allowance of a part, one per cent is less than this takes.
        busy = "import time\nwhile time.process_time() < 3: pass"
        self.program("tree/tools/setup.sh", f"exec {sys.executable} -c '{busy}'\n")
        result, _ = self.run_script("check.sh", "--quick", CHECK_ALLOWANCE="1")
        self.assertEqual(result.code, 1, str(result))
        self.assertRegex(result.err, "check.sh: packages took [0-9]+ s of processor time, more than its [0-9]+: ")
        self.assertTrue(result.out.endswith(closing), str(result))

        self.program("tree/tools/setup.sh", "")
        self.program("path/ctest", "echo '50% tests passed, 1 tests failed out of 2'; exit 8")
        result, _ = self.run_script("check.sh", "--quick", CHECK_ALLOWANCE="0")
        self.assertEqual(result.code, 8, str(result))


if __name__ == "__main__":
    if not (CMAKE and REAL_GCC):
        print("skipped: needs cmake and g++")
        sys.exit(77)
    main()
