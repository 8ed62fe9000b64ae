package cli

import (
	"bufio"
	"bytes"
	"debug/elf"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter/internal/memory"
)

// machine is what the files of /proc, /sys, /dev and of libtorch tell.
type machine struct {
	root string

	libtorch string // the folder of the libtorch_cpu.so in use, "" when it is linked in
	cudart   string // CUDA's version that libtorch was built for, "13"; "" when unknown
	hasCUDA  bool   // libtorch_cuda.so is there
	hasOurs  bool   // liblighter_cuda.so is there
	glibc    string

	cpu      string
	features []string // of the processor that libtorch makes use of
	memory   memory.Size

	nvidia  bool   // an NVIDIA device is present
	driver  string // NVIDIA's driver, "580.65.06"; "" for none
	devices []string
}

// driverFor is the oldest NVIDIA driver that runs a version of CUDA, by the major version of its runtime library. Of 12
// it is that of 12.1, which libtorch 2.1 was built for.
// https://docs.nvidia.com/cuda/cuda-toolkit-release-notes/#cuda-driver
var driverFor = map[string]int{"12": 530, "13": 580}

// readMachine reads what is under root, "/" but in tests.
func readMachine(root string) *machine {
	m := &machine{root: root}
	m.readLibraries()
	m.readCPU()
	m.memory = memory.Read(root)
	m.readNVIDIA()
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

// text is a file's content, "" when it can't be read.
func (m *machine) text(name string) string {
	b, _ := os.ReadFile(m.path(name)) // what is missing is what is reported
	return string(b)
}

func (m *machine) exists(name string) bool {
	_, err := os.Stat(m.path(name))
	return err == nil
}

// readLibraries looks at the shared libraries this process has mapped.
func (m *machine) readLibraries() {
	libraries := map[string]string{} // the name before ".so" to the path
	for line := range strings.Lines(m.text("/proc/self/maps")) {
		i := strings.IndexByte(line, '/')
		if i < 0 {
			continue
		}
		path := strings.TrimSuffix(line[i:], "\n")
		name, rest, isLibrary := strings.Cut(filepath.Base(path), ".so")
		if isLibrary && (rest == "" || rest[0] == '.') {
			libraries[name] = path
		}
	}
	m.glibc = m.glibcVersion(libraries["libc"])
	if libraries["libtorch_cpu"] == "" {
		return
	}
	m.libtorch = filepath.Dir(libraries["libtorch_cpu"])
	m.hasCUDA = m.exists(filepath.Join(m.libtorch, "libtorch_cuda.so"))
	if names, _ := filepath.Glob(m.path(filepath.Join(m.libtorch, "libcudart*.so.*"))); len(names) > 0 { // the pattern is sound
		_, version, _ := strings.Cut(filepath.Base(names[0]), ".so.")
		m.cudart, _, _ = strings.Cut(version, ".")
	}
	folders := []string{m.libtorch}
	if exe, err := os.Readlink(m.path("/proc/self/exe")); err == nil {
		dir := filepath.Dir(exe)
		folders = append(folders, dir, filepath.Join(dir, "lib"), filepath.Join(dir, "../lib"))
	}
	m.hasOurs = slices.ContainsFunc(folders, func(f string) bool { return m.exists(filepath.Join(f, "liblighter_cuda.so")) })
}

// glibcVersion is the newest version whose symbols the C library defines.
func (m *machine) glibcVersion(path string) string {
	if path == "" {
		return ""
	}
	f, err := elf.Open(m.path(path))
	if err != nil {
		return ""
	}
	defer f.Close()
	versions, err := f.DynamicVersions()
	if err != nil {
		return ""
	}
	newest := 0
	for _, v := range versions {
		if minor, ok := strings.CutPrefix(v.Name, "GLIBC_2."); ok {
			n, _ := strconv.Atoi(minor) // 2.2.5 counts for nothing
			newest = max(newest, n)
		}
	}
	if newest == 0 {
		return ""
	}
	return fmt.Sprintf("2.%d", newest)
}

func (m *machine) readCPU() {
	info := map[string]string{}
	for line := range strings.Lines(m.text("/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			info[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	m.cpu = info["model name"]
	flags := strings.Fields(info["flags"])
	for _, f := range []string{"avx2", "avx512f", "avx512_bf16", "amx_bf16"} {
		if slices.Contains(flags, f) {
			m.features = append(m.features, f)
		}
	}
}

var driverVersion = regexp.MustCompile(`NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s`)

func (m *machine) readNVIDIA() {
	if v := driverVersion.FindStringSubmatch(m.text("/proc/driver/nvidia/version")); v != nil {
		m.driver = v[1]
	}
	nodes, _ := filepath.Glob(m.path("/dev/nvidia[0-9]*")) // the pattern is sound
	m.nvidia = len(nodes) > 0
	names, _ := filepath.Glob(m.path("/proc/driver/nvidia/gpus/*/information"))
	for _, name := range names {
		b, _ := os.ReadFile(name) // a device without a name is not listed
		for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
			if model, ok := strings.CutPrefix(s.Text(), "Model:"); ok {
				m.devices = append(m.devices, strings.TrimSpace(model))
			}
		}
	}
	vendors, _ := filepath.Glob(m.path("/sys/bus/pci/devices/*/vendor"))
	for _, name := range vendors {
		vendor, _ := os.ReadFile(name) // the next may be readable
		class, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "class"))
		if strings.TrimSpace(string(vendor)) == "0x10de" && strings.HasPrefix(string(class), "0x03") { // NVIDIA, display controller
			m.nvidia = true
		}
	}
}

// driverNeeded is the oldest driver for the CUDA of this libtorch; 0 when that is unknown.
func (m *machine) driverNeeded() int { return driverFor[m.cudart] }

// driverTooOld says whether the driver can't run the CUDA of this libtorch.
func (m *machine) driverTooOld() bool {
	major, _, _ := strings.Cut(m.driver, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n < m.driverNeeded()
}

// cudaSummary says in a few words whether a run can use a GPU.
func (m *machine) cudaSummary() string {
	switch {
	case !m.hasCUDA || !m.hasOurs:
		return "no (its libraries are not installed)"
	case m.driver == "":
		return "no (no NVIDIA driver)"
	case !m.nvidia:
		return "no (no device)"
	case m.driverTooOld():
		return fmt.Sprintf("no (driver %s is older than %d)", m.driver, m.driverNeeded())
	}
	return fmt.Sprintf("%s.x, driver %s", m.cudart, m.driver)
}

// deviceList is the devices' names with their number.
func (m *machine) deviceList() string {
	count := map[string]int{}
	for _, d := range m.devices {
		count[d]++
	}
	var list []string
	for _, d := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%d x %s", count[d], d))
	}
	return strings.Join(list, ", ")
}
