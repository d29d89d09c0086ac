"""What the compiler made of the kernels, read from the objects of a CUDA build by the toolkit's cuobjdump."""
import re
import shutil
import subprocess
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from os import environ
from pathlib import Path

# Of a multiprocessor: warps, blocks, KiB of shared memory (CUDA Programming Guide, "Technical specifications").
LIMITS = {
    75: (32, 16, 64), 80: (64, 32, 164), 86: (48, 16, 100), 87: (48, 16, 164), 89: (48, 24, 100), 90: (64, 32, 228),
    100: (64, 32, 228), 103: (64, 32, 228), 120: (48, 24, 100),
}
REGISTERS = 65536  # of a multiprocessor, given to warps by 256
RESERVED = 1024  # bytes of shared memory that the system takes from each block, from sm_80 on
INSTRUCTION = re.compile(r"^\s+/\*([0-9a-f]{4,})\*/\s+(?:@(!?U?P\w+)\s+)?([A-Z][\w.]*)\s*([^;]*);")
JUMP = re.compile(r"^(?:BRA|JMP)\b")
ACCESS = re.compile(r"^(LD|ST|LDG|STG|LDL|STL)\.")
FP64 = re.compile(r"^(?:DADD|DMUL|DFMA|DSETP|DMNMX|MUFU\.\w+64H?|F2F\.(?:\w+\.)*F64|F2F\.F64|I2F\.F64|F2I\.F64)\b")


class Unavailable(Exception):
    """There is no cuobjdump."""


def find_cuobjdump(build):
    beside = [Path(line.partition("=")[2]).parent / "cuobjdump"
              for line in lines_of(build / "CMakeCache.txt") if line.startswith("CMAKE_CUDA_COMPILER:")]
    packages = Path(sysconfig.get_paths()["purelib"]).glob("nvidia/*/bin/cuobjdump")
    for path in [environ.get("CUOBJDUMP"), "cuobjdump", *beside, *sorted(packages)]:
        found = shutil.which(path) if path else None
        if found:
            return found
    raise Unavailable("no cuobjdump: it is in NVIDIA's package cuda-cuobjdump, and in pip's nvidia-cuda-cuobjdump")


def lines_of(path):
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def compiler_of(build):
    """The version of the build's nvcc, or None."""
    for path in sorted(build.glob("CMakeFiles/*/CMakeCUDACompiler.cmake")):
        for line in lines_of(path):
            match = re.match(r'set\(CMAKE_CUDA_COMPILER_VERSION "([\d.]+)"\)', line)
            if match:
                return match.group(1)
    return None


def objects_of(build):
    """The objects of the project's own kernels, one a source; kernels/library/ has the libraries' templates."""
    return sorted(build.glob("host/cuda/CMakeFiles/vaecuda_kernels.dir/**/kernels/*.cu.o"))


class Kernel:
    """One instance of a kernel, for one architecture."""

    def __init__(self, source, symbol, architecture):
        self.source, self.symbol, self.architecture = source, symbol, architecture
        self.name, self.instance = symbol, ""
        self.registers = self.local_bytes = self.shared_bytes = self.block = 0
        self.instructions = self.fp64 = self.fp64_in_loops = self.local_accesses = 0
        self.loads, self.stores = {}, {}  # bytes of an access: how many
        self.split = []  # neighbouring accesses that could be one

    def read_name(self, demangled):
        match = re.search(r"(\w+)_kernel(?:<(.*)>)?\(", demangled)
        if match:
            self.name = match.group(1)
            self.instance = re.sub(r"\(?vaecuda::math::(\w+)\)?", r"\1", match.group(2) or "").replace("unsigned char", "u8")

    def read_code(self, code):
        """`code`: (address, guard, operation, operands) of each instruction."""
        code = [line for line in code if line[2] != "NOP"]
        self.instructions = len(code)
        looped, targets = set(), set()
        for address, _, operation, operands in code:
            to = re.search(r"0x([0-9a-f]+)$", operands.strip()) if JUMP.match(operation) else None
            if to:
                to = int(to.group(1), 16)
                targets.add(to)
                if to < address:  # an instruction that jumps to itself pads the end
                    looped.update(range(to, address + 1, 16))
        for address, _, operation, _ in code:
            if FP64.match(operation):
                self.fp64 += 1
                self.fp64_in_loops += address in looped
        self.read_accesses(code, targets)

    def read_accesses(self, code, targets):
        open_accesses = {}  # (operation, guard, base): offsets since the last place where paths meet or part
        versions = {}  # of a predicate or register: how often it was written
        for address, guard, operation, operands in code:
            if address in targets:
                open_accesses = {}
            match = ACCESS.match(operation + ".")
            if match:
                size = width_of(operation)
                if match.group(1) in ("LDL", "STL"):
                    self.local_accesses += 1
                else:
                    widths = self.loads if operation.startswith("LD") else self.stores
                    widths[size] = widths.get(size, 0) + 1
                    self.note_neighbours(open_accesses, versions, guard, operation, operands, size)
            if JUMP.match(operation) or operation.split(".")[0] in ("EXIT", "RET", "CALL", "BAR", "BSYNC"):
                if not guard or not operation.startswith("EXIT"):
                    open_accesses = {}
            if not operation.startswith("ST"):
                for written in re.findall(r"^(?:(R\d+|P\d)(?:, )?)(?:(P\d), )?", operands):
                    for name in filter(None, written):
                        versions[name] = versions.get(name, 0) + 1

    def note_neighbours(self, open_accesses, versions, guard, operation, operands, size):
        place = re.search(r"(?<!desc)\[(U?R\w+(?:\.\w+)?(?:\+UR\w+)?)(?:\+(-?0x[0-9a-f]+))?\]", operands)
        if not place or size >= 16:
            return
        base, offset = place.group(1), int(place.group(2) or "0", 16)
        register = base.split(".")[0]
        key = (operation, guard, versions.get((guard or "").lstrip("!"), 0), base, versions.get(register, 0))
        offsets = open_accesses.setdefault(key, set())
        offsets.add(offset)
        run = [offset]
        while run[0] - size in offsets:
            run.insert(0, run[0] - size)
        while run[-1] + size in offsets:
            run.append(run[-1] + size)
        if size == 4 and len(run) >= 2 and not any(kind == operation and set(run) & set(seen) for kind, seen in self.split):
            self.split.append((operation, run))

    def occupancy(self):
        """Of a multiprocessor's warps, the share that may be resident; None where its limits are not known."""
        if self.architecture not in LIMITS or not self.block:
            return None
        most_warps, most_blocks, shared = LIMITS[self.architecture]
        warps = -(-self.block // 32)
        per_warp = -(-self.registers * 32 // 256) * 256
        per_block = self.shared_bytes + (RESERVED if self.architecture >= 80 else 0)
        blocks = min(most_blocks, most_warps // warps, REGISTERS // per_warp // warps)
        if per_block:
            blocks = min(blocks, shared * 1024 // per_block)
        return blocks * warps / most_warps


def width_of(operation):
    parts = operation.split(".")
    for name, size in (("128", 16), ("64", 8), ("U16", 2), ("S16", 2), ("U8", 1), ("S8", 1)):
        if name in parts[1:]:
            return size
    return 4


def read_object(cuobjdump, path):
    """The kernels of one object."""
    source = path.name[:-len(".o")]
    listing = subprocess.run([cuobjdump, "-sass", "-elf", "-res-usage", str(path)], capture_output=True, text=True, check=True)
    return read_listing(source, listing.stdout.splitlines())


def read_listing(source, lines):
    kernels, code, reserving = {}, {}, set()
    architecture, function, section, attribute = 0, None, None, None

    def kernel(symbol):
        return kernels.setdefault((symbol, architecture), Kernel(source, symbol, architecture))

    for line in lines:
        match = re.match(r"^arch = sm_(\d+)|^\s+code for sm_(\d+)", line)
        if match:
            architecture, function, section = int(match.group(1) or match.group(2)), None, None
            continue
        match = re.match(r"^\s*Function\s*:?\s*(\S+?):?$", line)
        if match:
            function = kernel(match.group(1))
            continue
        match = re.match(r"^\s*REG:(\d+) STACK:(\d+) SHARED:(\d+)", line)
        if match and function:
            function.registers, function.local_bytes, function.shared_bytes = map(int, match.groups())
            # What the system takes is counted in where the code says so, and a kernel has shared memory at all.
            if architecture in reserving and function.shared_bytes >= RESERVED:
                function.shared_bytes -= RESERVED
            continue
        match = re.match(r"^(?:\.section\s+)?\.nv\.info\.(\S+)$", line)
        if match or line.startswith("."):
            section = match.group(1) if match else None
            if "nv.shared.reserved" in line:
                reserving.add(architecture)
            continue
        if section:
            match = re.match(r"^\s*Attribute:\s*(\w+)", line)
            attribute = match.group(1) if match else attribute
            match = re.match(r"^\s*Value:\s*(0x\w+) (0x\w+) (0x\w+)", line)
            if match and attribute == "EIATTR_MAX_THREADS":
                x, y, z = (int(value, 16) for value in match.groups())
                kernel(section).block = x * y * z
                section = None
            continue
        match = INSTRUCTION.match(line)
        if match and function:
            address, guard, operation, operands = match.groups()
            code.setdefault((function.symbol, architecture), []).append((int(address, 16), guard, operation, operands))
    for key, instructions in code.items():
        kernels[key].read_code(instructions)
    return [found for found in kernels.values() if found.instructions]


def demangle(kernels):
    names = subprocess.run(["c++filt"], input="\n".join(k.symbol for k in kernels), capture_output=True, text=True, check=True)
    for kernel, name in zip(kernels, names.stdout.splitlines()):
        kernel.read_name(name)


def read_kernels(build):
    """All kernels of a build, in the order of names. \\raises Unavailable without cuobjdump."""
    cuobjdump = find_cuobjdump(build)
    with ThreadPoolExecutor() as pool:
        kernels = [kernel for found in pool.map(lambda path: read_object(cuobjdump, path), objects_of(build)) for kernel in found]
    demangle(kernels)
    return sorted(kernels, key=lambda k: (k.name, k.architecture, k.instance))
