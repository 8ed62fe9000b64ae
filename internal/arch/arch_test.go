// Package arch states which package may import which.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lighter-go/lighter"

// imports are the direct imports of every package, by its path below the module's, "" for the root; those of its tests
// too when asked for. Files for other systems and builds count as well.
func imports(t *testing.T, tests bool) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (name == "testdata" || name[0] == '.' || name[0] == '_') {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || !tests && strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := strings.TrimPrefix(filepath.ToSlash(folder), ".")
		all[pkg] = append(all[pkg], pathsOf(f)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func pathsOf(f *ast.File) []string {
	paths := []string{}
	for _, i := range f.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

// below is an import's path below the module's.
func below(path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, module)
	return strings.TrimPrefix(rest, "/"), ok && (rest == "" || rest[0] == '/')
}

// reach adds to seen the module's packages that one imports, and those that they import.
func reach(all map[string][]string, pkg string, seen map[string]bool) map[string]bool {
	for _, i := range all[pkg] {
		if d, own := below(i); own && !seen[d] {
			seen[d] = true
			reach(all, d, seen)
		}
	}
	return seen
}

// within says whether a path is one of the folders or in one.
func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return path == f || strings.HasPrefix(path, f+"/") })
}

var (
	// pure packages build and test without C.
	pure = []string{"internal/arch", "internal/atomicfile", "internal/checkpoint", "internal/config", "internal/console", "internal/custom", "internal/data/columnar", "internal/data/image", "internal/data/shard", "internal/data/token", "internal/diag", "internal/eventfile", "internal/libm", "internal/memory", "internal/pyrandom", "internal/registry", "internal/release", "internal/report", "internal/timedelta", "internal/torchfile"}
	// components are what configurations name.
	components = []string{"internal/adapter", "internal/callback", "internal/creation", "internal/data", "internal/inferer", "internal/metric", "internal/model", "internal/module", "internal/optim", "internal/profiler", "internal/pytorch", "internal/torchscript", "internal/vision"}
)

// only says which packages of the module some may import.
var only = map[string][]string{
	"":              {"tensor", "internal/config", "internal/config/expr", "internal/console", "internal/diag", "internal/registry"},
	"tensor":        {"internal/diag"},
	"internal/diag": {},
	"cmd/lighter":   {"cli"},
}

func TestArrows(t *testing.T) {
	all := imports(t, false)
	if len(all) < 10 {
		t.Fatalf("only %d packages are found", len(all))
	}
	for pkg, direct := range all {
		for _, i := range direct {
			d, own := below(i)
			allowed, limited := only[pkg]
			switch {
			case i == "C" && pkg != "tensor" && pkg != "internal/data/image/native",
				within(i, "github.com/sugarme/gotch") && pkg != "tensor":
				t.Errorf("%s imports %s; package tensor is the boundary to C and gotch, internal/data/image/native to libjpeg", pkg, i)
			case own && limited && !slices.Contains(allowed, d):
				t.Errorf("%q imports %s; of the module it may import %q", pkg, d, allowed)
			}
		}
		for d := range reach(all, pkg, map[string]bool{}) {
			switch {
			case within(pkg, "internal/data/image") && within(d, "tensor"):
				t.Errorf("%s reaches tensor; images know no tensors", pkg)
			case within(pkg, pure...) && within(d, "tensor"):
				t.Errorf("%s reaches tensor; it must build without C", pkg)
			case within(pkg, components...) && within(d, "internal/engine", "runner", "cli"):
				t.Errorf("%s, a component, reaches %s", pkg, d)
			case within(pkg, "internal/engine") && within(d, components...):
				t.Errorf("%s reaches the component %s; it knows contracts only", pkg, d)
			case d == "cli" && !within(pkg, "cmd"):
				t.Errorf("%s reaches cli; only programs do", pkg)
			}
		}
		if name := path.Base(pkg); slices.Contains([]string{"util", "utils", "helper", "helpers", "common", "misc"}, name) {
			t.Errorf("%s: a package is named after what it provides", pkg)
		}
	}
}

// TestDependenciesAreExplained: the README's table has a line for every module that is used, and no other.
func TestDependenciesAreExplained(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	mod, used := read("go.mod"), map[string]bool{}
	var modules []string
	for _, m := range regexp.MustCompile(`(?m)^\s+(\S+) v\S+`).FindAllStringSubmatch(mod, -1) {
		modules = append(modules, m[1])
	}
	mark := func(pkg string) {
		for _, m := range modules {
			if within(pkg, m) {
				used[m] = true
			}
		}
	}
	for _, direct := range imports(t, true) {
		for _, i := range direct {
			mark(i)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^tool (\S+)`).FindAllStringSubmatch(mod, -1) {
		mark(m[1])
	}
	_, table, _ := strings.Cut(read("README.md"), "## Dependencies")
	table, _, _ = strings.Cut(table, "\n## ")
	explained := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\S+\.\S+/?\S*) \| `).FindAllStringSubmatch(table, -1) {
		explained[row[1]] = true
	}
	for m := range used {
		if !explained[m] {
			t.Errorf("%s is used, but not in the README's table of dependencies", m)
		}
	}
	for m := range explained {
		if !used[m] {
			t.Errorf("%s is in the README's table of dependencies, but not used", m)
		}
	}
}
