package tensor_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

func TestScopeFreesWhatWasMadeInIt(t *testing.T) {
	before := tensor.Live()
	outer := tensor.Open()
	defer outer.Close()
	a := tensor.FromSlice([]float32{1, 2, 3}, 3)
	inner := tensor.Open()
	kept := a.AddScalar(1).Keep()
	returned := inner.Return(a.MulScalar(2))
	a.Relu()
	inner.Close()
	if got, want := tensor.Live()-before, int64(3); got != want {
		t.Errorf("%d handles after the inner scope, want %d: the input, the kept and the returned one", got, want)
	}
	if got := tensor.Values[float32](kept); got[0] != 2 {
		t.Errorf("a kept tensor holds %v, want 2 first", got)
	}
	if got := tensor.Values[float32](returned); got[2] != 6 {
		t.Errorf("a returned tensor holds %v, want 6 last", got)
	}
	kept.Adopt()
}

func TestScopesBelongToTheirThread(t *testing.T) {
	s := tensor.Open()
	defer s.Close()
	done := make(chan tensor.Tensor)
	go func() {
		s := tensor.Open()
		defer s.Close()
		done <- tensor.FromSlice([]int64{7}, 1).Keep()
	}()
	got := (<-done).Adopt()
	if got.Int() != 7 {
		t.Errorf("a tensor of another thread holds %d, want 7", got.Int())
	}
}

func TestNoScopeIsAnError(t *testing.T) {
	errs := make(chan error)
	go func() {
		runtime.LockOSThread()
		errs <- tensor.Catch(func() { tensor.Zeros([]int64{1}, tensor.Float32, tensor.Device{}) })
	}()
	if err := <-errs; err == nil || !strings.Contains(err.Error(), "no tensor scope is open") {
		t.Errorf("got %v, want an error that says that no scope is open", err)
	}
}

// step is a training step of a small network, with an error in every tenth.
func step(x, y, w, b tensor.Tensor, params tensor.List, fail bool) error {
	s := tensor.Open()
	defer s.Close()
	return tensor.Catch(func() {
		params.ZeroGrad(true)
		h := tensor.Linear(x, w, b).Relu()
		tensor.CrossEntropy(h, y, tensor.Tensor{}, tensor.ReduceMean, -100, 0).Backward()
		h.Argmax(1).Eq(y).Sum(tensor.Int64)
		tensor.CallOne("aten::softmax", h, 1)
		if fail {
			h.Matmul(x)
		}
	})
}

func TestMemoryIsFlat(t *testing.T) {
	steps := 10_000
	if os.Getenv("LIGHTER_SOAK") != "" {
		steps = 50_000
	}
	s := tensor.Open()
	defer s.Close()
	x := tensor.CallOne("randn", []int64{32, 64})
	y := tensor.Zeros([]int64{32}, tensor.Int64, tensor.Device{})
	w := tensor.CallOne("randn", []int64{10, 64}).SetRequiresGrad(true)
	b := tensor.Zeros([]int64{10}, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)
	params := tensor.NewList([]tensor.Tensor{w, b})
	defer params.Free()
	run := func(n int) {
		for i := range n {
			if err := step(x, y, w, b, params, i%10 == 9); (err != nil) != (i%10 == 9) {
				t.Fatalf("step %d: error %v", i, err)
			}
		}
	}
	run(steps / 10)
	handles, memory := tensor.Live(), residentKB(t)
	run(steps)
	if got := tensor.Live(); got != handles {
		t.Errorf("%d handles after %d steps, %d before", got, steps, handles)
	}
	if got := residentKB(t); got > memory+8<<10 {
		t.Errorf("%d kB resident after %d steps, %d before", got, steps, memory)
	}
}

func residentKB(t *testing.T) int {
	t.Helper()
	runtime.GC()
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc here to read the resident memory from")
	}
	_, rest, _ := strings.Cut(string(data), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb
}
