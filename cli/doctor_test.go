package cli

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestMachines compares what the doctor says of machines it is shown. A file of testdata/machines is what it should say,
// and the files of a machine.
func TestMachines(t *testing.T) {
	names, err := filepath.Glob("testdata/machines/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatal("no machines", err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		root := t.TempDir()
		if err := txtar.Write(a, root); err != nil {
			t.Fatal(err)
		}
		m := readMachine(root)
		var b strings.Builder
		for _, f := range []finding{m.libtorchFinding("2.11.0"), m.cpuFinding(), m.memoryFinding(), m.driverFinding(), m.cudaFinding()} {
			fmt.Fprintf(&b, "%s\n", f)
		}
		fmt.Fprintf(&b, "CUDA %s\n", m.cudaSummary())
		if want := string(a.Comment); b.String() != want {
			t.Errorf("%s:\n got:\n%s\nwant:\n%s", name, b.String(), want)
		}
	}
}

func TestUnsupportedLibtorch(t *testing.T) {
	for version, want := range map[string]verdict{"2.11.0": fine, "2.1.2": fine, "2.1.0+cu121": fine, "2.12.0": poor, "2.10.0": poor, "1.13.1": poor} {
		if f := (&machine{}).libtorchFinding(version); f.verdict != want {
			t.Errorf("%s: %v", version, f)
		}
	}
}
