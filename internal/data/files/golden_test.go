package files

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// prepared is what Python makes of the rows of a table.
type prepared struct {
	X [][]float64
	Y []float64
}

// golden is testdata/files.json: files that Python's libraries wrote, and what is in them.
type golden struct {
	Files   map[string][]byte
	Parquet [][]float64
	Learnt  map[string]prepared
	Samples []any
	Grey    []any
}

// goldens writes the files to a folder.
func goldens(t testing.TB) (g golden, dir string) {
	t.Helper()
	b, err := os.ReadFile("testdata/files.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for name, data := range g.Files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return g, dir
}

func with(target, path string, arguments m) m {
	x := m{"_target_": "lighter.datasets." + target, "path": path}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}
