package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/lighter-go/lighter/internal/data/image/native"
	"github.com/lighter-go/lighter/tensor"
)

// verdict is what a finding means for a run.
type verdict int

const (
	fine   verdict = iota
	absent         // nothing a run on the CPU needs
	poor           // a run works, but not as it should
	broken         // no run works
)

func (v verdict) String() string { return [...]string{"ok", "no", "warn", "FAIL"}[v] }

// finding is one thing the doctor looked at.
type finding struct {
	name    string
	verdict verdict
	text    string
	todo    string // what to do about it
}

// String is the line of a finding, and a second one when there is something to do.
func (f finding) String() string {
	s := fmt.Sprintf("%-5s %-10s %s", f.verdict, f.name, f.text)
	if f.todo != "" {
		s += fmt.Sprintf("\n%17s%s", "-> ", f.todo)
	}
	return s
}

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Say what is found, what is missing and what to do", GroupID: otherGroup, Args: cobra.NoArgs,
		Long: `Say what is found, what is missing and what to do. A run on the CPU works when the exit code is 0.`,
		RunE: func(*cobra.Command, []string) error {
			m := readMachine(p.root)
			findings := []finding{
				m.libtorchFinding(tensor.Version()), operationFinding(), imagesFinding(), m.cpuFinding(), m.threadsFinding(), m.memoryFinding(),
				m.glibcFinding(), m.driverFinding(), m.cudaFinding(), folderFinding(), cacheFinding(),
			}
			failed := false
			for _, f := range findings {
				fmt.Fprintln(p.stdout, f)
				failed = failed || f.verdict == broken
			}
			if failed {
				return errors.New("a run would fail: see FAIL above")
			}
			fmt.Fprintln(p.stdout, "a run on the CPU works")
			return nil
		},
	}
}

// supported are the versions of libtorch that the program is tested with.
var supported = regexp.MustCompile(`^2\.(1|11)\.\d+`)

func (m *machine) libtorchFinding(version string) finding {
	f := finding{name: "libtorch", text: version}
	if m.libtorch != "" {
		f.text += " in " + m.libtorch
	}
	if !supported.MatchString(version) {
		f.verdict = poor
		f.todo = "2.11.x and 2.1.x are tested: unset LIBTORCH and run make build"
	}
	return f
}

// operationFinding does a little of what a run does.
func operationFinding() finding {
	f := finding{name: "operations", text: "a product of two matrices is right"}
	err := tensor.Catch(func() {
		defer tensor.Open().Close()
		ones := tensor.CallOne("ones", []int64{2, 2})
		if sum := tensor.CallOne("sum", tensor.CallOne("matmul", ones, ones)).Item(); sum != 8 {
			tensor.Fail("matmul", "the sum of a product of ones is %v, not 8", sum)
		}
	})
	if err != nil {
		f.verdict, f.text, f.todo = broken, err.Error(), "this libtorch is damaged: make clean-cache build gets it again"
	}
	return f
}

// imagesFinding decodes a picture.
func imagesFinding() finding {
	f := finding{name: "images", text: "libjpeg-turbo decodes a picture to Pillow's pixels"}
	if err := native.Check(); err != nil {
		f.verdict, f.text, f.todo = broken, err.Error(), "this libjpeg is damaged: make clean-cache build gets it again"
	}
	return f
}

func (m *machine) cpuFinding() finding {
	f := finding{name: "processor", text: m.cpu}
	if m.cpu == "" {
		f.text = runtime.GOARCH
	}
	if len(m.features) > 0 {
		f.text += ", " + strings.Join(m.features, " ")
	} else {
		f.verdict, f.todo = poor, "without AVX2 operations are several times slower; a virtual machine may hide it (CPU type \"host\" shows it)"
	}
	return f
}

func (m *machine) threadsFinding() finding {
	n, processors := tensor.Threads(), min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) // the latter knows a container's quota
	f := finding{name: "threads", text: fmt.Sprintf("%d, processors %d", n, processors)}
	if n > processors {
		f.verdict, f.todo = poor, fmt.Sprintf("more threads than processors are slow: set OMP_NUM_THREADS=%d", processors)
	}
	return f
}

const gib = 1 << 30

func (m *machine) memoryFinding() finding {
	f := finding{name: "memory"}
	if m.memory.Total == 0 {
		f.text = "unknown"
		return f
	}
	f.text = fmt.Sprintf("%.1f GiB, %.1f GiB of it free", float64(m.memory.Total)/gib, float64(m.memory.Free)/gib)
	if m.memory.Limited {
		f.text += " (limit of the control group)"
	}
	if m.memory.Free < gib/2 {
		f.verdict, f.todo = poor, "the program alone takes about 0.3 GiB: a run may end with exit code 5 or be killed"
	}
	return f
}

func (m *machine) glibcFinding() finding {
	if m.glibc == "" {
		return finding{name: "C library", text: "not recognised"}
	}
	return finding{name: "C library", text: "glibc " + m.glibc}
}

func (m *machine) driverFinding() finding {
	f := finding{name: "NVIDIA", text: "driver " + m.driver}
	if devices := m.deviceList(); devices != "" {
		f.text += ", " + devices
	}
	switch {
	case m.driver == "" && m.nvidia:
		f.verdict, f.text = poor, "a device, but no driver"
		f.todo = "install NVIDIA's driver"
		if n := m.driverNeeded(); n > 0 {
			f.todo += fmt.Sprintf(", %d or newer", n)
		}
	case m.driver == "":
		f.verdict, f.text = absent, "no device: runs use the CPU"
	case m.driverTooOld():
		f.verdict = poor
		f.todo = fmt.Sprintf("CUDA %s.x of this libtorch needs driver %d or newer; runs use the CPU until then", m.cudart, m.driverNeeded())
	case !m.nvidia:
		f.verdict = poor
		f.text += ", but no /dev/nvidia0"
		f.todo = "in a container, pass the devices: docker run --gpus all"
	}
	return f
}

func (m *machine) cudaFinding() finding {
	f := finding{name: "CUDA", text: "libtorch_cuda.so and liblighter_cuda.so"}
	var missing []string
	if !m.hasCUDA {
		missing = append(missing, "libtorch_cuda.so")
	}
	if !m.hasOurs {
		missing = append(missing, "liblighter_cuda.so")
	}
	if len(missing) == 0 {
		return f
	}
	f.verdict, f.text = absent, "no "+strings.Join(missing, " and no ")
	if m.nvidia {
		f.verdict = poor
	}
	f.todo = "for runs on a GPU: make setup CUDA=1"
	return f
}

func folderFinding() finding {
	f := finding{name: "folder"}
	dir, err := os.Getwd()
	if err == nil {
		f.text = dir
		err = writable(dir)
	}
	var disk unix.Statfs_t
	if unix.Statfs(".", &disk) == nil {
		f.text += fmt.Sprintf(", %.1f GiB free", float64(disk.Bavail)*float64(disk.Bsize)/gib)
	}
	if err != nil {
		f.verdict, f.text = poor, err.Error()
		f.todo = "a run writes its logs and checkpoints here: change to a folder of yours, or set trainer::default_root_dir"
	}
	return f
}

func cacheFinding() finding {
	f := finding{name: "cache"}
	dir, err := os.UserCacheDir()
	if err != nil {
		f.verdict, f.text, f.todo = poor, err.Error(), "make setup keeps libtorch there"
		return f
	}
	f.text = filepath.Join(dir, "lighter")
	for dir = f.text; ; dir = filepath.Dir(dir) { // the nearest that is there
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			break
		}
	}
	if err := writable(dir); err != nil {
		f.verdict, f.text, f.todo = poor, err.Error(), "make setup keeps libtorch there: set XDG_CACHE_HOME to a folder of yours"
	}
	return f
}

// writable tries to make a file in a folder.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".lighter-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}
