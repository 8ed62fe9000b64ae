package runner_test

import (
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/cpu"

	_ "github.com/lighter-go/lighter/cli" // registers the components
	"github.com/lighter-go/lighter/internal/atomicfile"
	"github.com/lighter-go/lighter/internal/torchfile"
	"github.com/lighter-go/lighter/runner"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) {
	atomicfile.Replace(unsynced{atomicfile.Disk})
	tensortest.Main(m)
}

// unsynced is the disk, without the waits that only a loss of power makes worth while.
type unsynced struct{ atomicfile.Files }

func (u unsynced) Open(name string, flag int) (atomicfile.File, error) {
	f, err := u.Files.Open(name, flag)
	return unsyncedFile{f}, err
}

func (unsynced) SyncDir(string) error { return nil }

type unsyncedFile struct{ atomicfile.File }

func (unsyncedFile) Sync() error { return nil }

// tolerance is relative. expected/ holds what AVX-512 kernels gave; another CPU's sums differ in the last bits, and those
// differences grow with training.
func tolerance() float64 {
	if cpu.X86.HasAVX512F {
		return 1e-5
	}
	return 1e-3
}

func run(t *testing.T, stage, ckpt string, inputs ...any) *runner.Result {
	t.Helper()
	r, err := runner.Run(context.Background(), stage, inputs, runner.Options{CkptPath: ckpt})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type point struct {
	epoch, step string
	value       float64
}

// readSeries gives every column's cells that are not empty, with their epoch and step.
func readSeries(t *testing.T, path string) map[string][]point {
	t.Helper()
	rows := readTable(t, path)
	out := map[string][]point{}
	for _, row := range rows[1:] {
		at := map[string]string{}
		for i, name := range rows[0] {
			at[name] = row[i]
		}
		for name, cell := range at {
			if name == "epoch" || name == "step" || cell == "" {
				continue
			}
			out[name] = append(out[name], point{at["epoch"], at["step"], parse(t, cell)})
		}
	}
	return out
}

func readTable(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %d rows, %v", path, len(rows), err)
	}
	return rows
}

func parse(t *testing.T, cell string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(cell, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// compareSeries reports every series that differs, those of near by more than a tolerance of their own, and returns the largest
// difference in each.
func compareSeries(t *testing.T, expected, actual string, tol float64, near map[string]float64) map[string]float64 {
	t.Helper()
	want, got := readSeries(t, expected), readSeries(t, actual)
	worst := map[string]float64{}
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s: column %s is not expected", actual, name)
		}
	}
	for name, points := range want {
		tol := tol
		if n, ok := near[name]; ok {
			tol = n
		}
		if len(got[name]) != len(points) {
			t.Errorf("%s: %d values of %s, want %d", actual, len(got[name]), name, len(points))
			continue
		}
		for i, w := range points {
			g := got[name][i]
			diff := math.Abs(g.value - w.value)
			worst[name] = max(worst[name], diff)
			if g.epoch != w.epoch || g.step != w.step || diff > tol*math.Abs(w.value) {
				t.Errorf("%s: value %d of %s is %+v, want %+v", actual, i, name, g, w)
				break
			}
		}
	}
	return worst
}

// drawn is the tolerance of initial weights, which are equal in every bit on any CPU: that of the order in which they are summed.
const drawn = 1e-12

// exact reports every series that differs at all. The area under a curve is summed over all classes at once, in an order of its own.
func exact(t *testing.T, wanted bool, worst map[string]float64) {
	t.Helper()
	for name, diff := range worst {
		if wanted && diff > 0 && !strings.Contains(name, "AUROC") {
			t.Errorf("with fused: false %s differs by %g, want equal bits", name, diff)
		}
	}
}

// compareWeights compares the sums, first and last elements of a checkpoint's tensors.
func compareWeights(t *testing.T, expected, checkpoint string, tolerance float64) {
	t.Helper()
	file, err := torchfile.Open(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	root := file.Root.(*torchfile.Dict)
	state, _ := root.Get("state_dict")
	for _, row := range readTable(t, expected)[1:] {
		if v, ok := root.Get(row[0]); ok {
			if fmt.Sprint(v) != row[2] {
				t.Errorf("%s is %v, want %s", row[0], v, row[2])
			}
			continue
		}
		v, ok := state.(*torchfile.Dict).Get(row[0])
		if !ok {
			t.Errorf("the checkpoint has no %s", row[0])
			continue
		}
		checkTensor(t, row, v.(*torchfile.Tensor), tolerance)
	}
}

// checkTensor takes a row name, shape, sum, sum of magnitudes, first, last.
func checkTensor(t *testing.T, row []string, v *torchfile.Tensor, tolerance float64) {
	t.Helper()
	b, err := v.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	var got [4]float64
	for i := 0; len(b) > 0; i++ {
		var x float64
		if v.DType == torchfile.Int64 {
			x, b = float64(int64(binary.LittleEndian.Uint64(b))), b[8:]
		} else {
			x, b = float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), b[4:]
		}
		got[0] += x
		got[1] += math.Abs(x)
		if i == 0 {
			got[2] = x
		}
		got[3] = x
	}
	for i, what := range []string{"sum", "sum of magnitudes", "first element", "last element"} {
		want := parse(t, row[2+i])
		if scale := math.Max(math.Abs(want), 1e-2*math.Abs(got[1])); math.Abs(got[i]-want) > tolerance*scale {
			t.Errorf("%s: the %s is %v, want %v", row[0], what, got[i], want)
		}
	}
}
