// Package tensortest helps tests of packages that use tensors: it finds leaks, reads PyTorch's numbers from
// testdata/fixtures, and compares.
package tensortest

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/lighter-go/lighter/tensor"
)

// Main runs a package's tests on one thread, as the fixtures were made, and fails when they leave tensor handles behind:
//
//	func TestMain(m *testing.M) { tensortest.Main(m) }
func Main(m *testing.M) {
	tensor.SetThreads(1)
	code := m.Run()
	for i := 0; i < 20 && tensor.Live() != 0; i++ { // the collector frees what user code has kept
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	if n := tensor.Live(); n != 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "FAIL: %d tensor handles are still live after the tests\n", n)
		code = 1
	}
	os.Exit(code)
}

// Scope opens a scope that closes at the end of the test.
func Scope(t testing.TB) {
	s := tensor.Open()
	t.Cleanup(s.Close)
}
