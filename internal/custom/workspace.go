package custom

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// mainModule is the module of the generated main.
const mainModule = "lighter.local/main"

// workspace is the Go workspace that a build happens in.
type workspace struct {
	file     string // go.work
	overlay  string // the files that stand in for others
	main     string // the folder of the generated main
	source   string
	goRoot   string
	goes     string            // the newest language version that a module asks for, "go1.26"
	folders  []string          // of modules
	names    []string          // of modules made for folders without one
	mods     map[string]string // the overlay: files to those that stand in
	requires []moduleInfo
	replaced []string // versions of lighter that are this one
}

// moduleInfo is what `go mod download -json` says.
type moduleInfo struct {
	Path, Version, GoMod, Error string
}

// goMod is what `go mod edit -json` says.
type goMod struct {
	Module  struct{ Path string }
	Go      string
	Require []struct{ Path, Version string }
}

// prepare writes the workspace for the packages that are given.
func (b *build) prepare(given []with) error {
	b.space = workspace{
		file: filepath.Join(b.dir, "go.work"), overlay: filepath.Join(b.dir, "overlay.json"), main: filepath.Join(b.dir, "main"),
		source: b.source.dir, mods: map[string]string{},
	}
	if err := b.findToolchain(); err != nil {
		return err
	}
	if err := b.read(filepath.Join(b.source.dir, "go.mod"), nil); err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(b.space.main), os.MkdirAll(b.space.main, 0o777), b.space.write()); err != nil {
		return err
	}
	for i := range given {
		var err error
		if given[i].dir != "" {
			err = b.addFolder(&given[i])
		} else {
			err = b.addPublished(&given[i])
		}
		if err != nil {
			return fmt.Errorf("--with %s: %w", given[i].text, err)
		}
	}
	if err := b.space.write(); err != nil {
		return err
	}
	var imports []string
	for _, w := range given {
		found, err := b.packages(w)
		if err != nil {
			return fmt.Errorf("--with %s: %w", w.text, err)
		}
		imports = append(imports, found...)
	}
	slices.Sort(imports)
	return b.space.writeMain(slices.Compact(imports))
}

// read takes over what a go.mod asks of the workspace.
func (b *build) read(file string, into *goMod) error {
	text, err := goOutput(b.ctx, append(b.env, "GOWORK=off"), "mod", "edit", "-json", file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var m goMod
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if m.Go != "" && version.Compare("go"+m.Go, b.space.goes) > 0 {
		b.space.goes = "go" + m.Go
	}
	for _, r := range m.Require {
		if r.Path == modulePath && !slices.Contains(b.space.replaced, r.Version) {
			b.space.replaced = append(b.space.replaced, r.Version)
		}
	}
	if into != nil {
		*into = m
	}
	return nil
}

// addFolder takes the module of a folder into the workspace; one without gets one by the overlay.
func (b *build) addFolder(w *with) error {
	if root := moduleRoot(w.dir); root != "" {
		var m goMod
		if err := b.read(filepath.Join(root, "go.mod"), &m); err != nil {
			return err
		}
		if m.Module.Path != modulePath { // in a checkout of lighter a folder stands for itself
			rel, err := filepath.Rel(root, w.dir)
			if err != nil {
				return err
			}
			w.path = path.Join(m.Module.Path, filepath.ToSlash(rel))
			if !slices.Contains(b.space.folders, root) {
				b.space.folders = append(b.space.folders, root)
			}
			return nil
		}
	}
	w.path = b.space.nameFor(w.dir)
	file := filepath.Join(b.dir, fmt.Sprintf("folder%d.mod", len(b.space.names)))
	b.space.names = append(b.space.names, w.path)
	b.space.folders = append(b.space.folders, w.dir)
	b.space.mods[filepath.Join(w.dir, "go.mod")] = file
	return os.WriteFile(file, []byte("module "+w.path+"\n\ngo "+strings.TrimPrefix(b.space.goes, "go")+"\n"), 0o666)
}

// moduleRoot is the folder with the go.mod that a folder belongs to, "" when there is none.
func moduleRoot(dir string) string {
	for {
		if info, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil && !info.IsDir() {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

var notInPaths = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// nameFor is the import path of a folder without a module: its name, or local/NAME where that may be one of Go's own packages.
func (s *workspace) nameFor(dir string) string {
	name := strings.Trim(notInPaths.ReplaceAllString(filepath.Base(dir), "_"), "-")
	name = cmp.Or(name, "components")
	if _, err := os.Stat(filepath.Join(s.goRoot, "src", name)); err == nil || slices.Contains([]string{"main", "cmd", "std", "all", "tool", "work"}, name) {
		name = "local/" + name
	}
	unique := name
	for i := 2; slices.Contains(s.names, unique); i++ {
		unique = fmt.Sprintf("%s%d", name, i)
	}
	return unique
}

// addPublished finds the module of a published package, through the proxy or in the module cache, and pins its version.
func (b *build) addPublished(w *with) error {
	var first error
	for name := w.path; name != "."; name = path.Dir(name) {
		m, err := b.download(name, cmp.Or(w.version, "latest"))
		if err != nil {
			if first == nil {
				first = err
			}
			continue
		}
		if err := b.read(m.GoMod, nil); err != nil {
			return err
		}
		for _, r := range b.space.requires {
			if r.Path == m.Path {
				if r.Version != m.Version {
					return fmt.Errorf("%s is asked for in two versions, %s and %s", m.Path, r.Version, m.Version)
				}
				return nil
			}
		}
		b.o.Say("with %s %s", m.Path, m.Version)
		b.space.requires = append(b.space.requires, m)
		return nil
	}
	return first
}

// download gets a module by itself, into the module cache. Where the network does not answer for a version that is no exact one, the
// newest in the cache is taken.
func (b *build) download(name, version string) (m moduleInfo, err error) {
	get := func(env []string) error {
		text, err := goOutput(b.ctx, env, "mod", "download", "-C", b.space.main, "-json", name+"@"+version)
		m = moduleInfo{}
		if jsonErr := json.Unmarshal([]byte(text), &m); jsonErr == nil && m.Error != "" {
			return errors.New(m.Error)
		}
		return err
	}
	env := append(b.env, "GOWORK=off")
	if err = get(env); err == nil || exactVersion.MatchString(version) {
		return m, err
	}
	cache, cacheErr := goOutput(b.ctx, nil, "env", "GOMODCACHE")
	if cacheErr == nil && get(append(env, "GOPROXY=file://"+filepath.Join(strings.TrimSpace(cache), "cache/download"))) == nil {
		b.o.Say("the module proxy does not answer for %s@%s: %s is the newest in the module cache", name, version, m.Version)
		return m, nil
	}
	return m, err
}

var exactVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+`)

// write writes go.work, the overlay, and the module of the main.
func (s *workspace) write() error {
	overlay, err := json.Marshal(map[string]any{"Replace": s.mods})
	if err != nil {
		return err
	}
	language := strings.TrimPrefix(s.goes, "go")
	mod := "module " + mainModule + "\n\ngo " + language + "\n"
	for _, m := range s.requires {
		mod += fmt.Sprintf("\nrequire %s %s\n", m.Path, m.Version)
	}
	return errors.Join(
		os.WriteFile(s.overlay, overlay, 0o666),
		os.WriteFile(filepath.Join(s.main, "go.mod"), []byte(mod), 0o666),
		s.writeWork(),
	)
}

// writeWork writes go.work.
func (s *workspace) writeWork() error {
	var text strings.Builder
	fmt.Fprintf(&text, "go %s\n\n", strings.TrimPrefix(s.goes, "go"))
	for _, dir := range append([]string{s.main, s.source}, s.folders...) {
		fmt.Fprintf(&text, "use %q\n", dir)
	}
	for _, v := range s.replaced {
		fmt.Fprintf(&text, "\nreplace %s %s => %q\n", modulePath, v, s.source)
	}
	return os.WriteFile(s.file, []byte(text.String()), 0o666)
}

// replace lets a version of lighter be this one.
func (s *workspace) replace(version string) error {
	s.replaced = append(s.replaced, version)
	return s.writeWork()
}

// writeMain writes the program, as cmd/lighter has it.
func (s *workspace) writeMain(imports []string) error {
	var text strings.Builder
	fmt.Fprintf(&text, "// Command lighter, with more components. Written by lighter build.\npackage main\n\nimport (\n\t%q\n\n", modulePath+"/cli")
	for _, i := range imports {
		fmt.Fprintf(&text, "\t_ %q\n", i)
	}
	text.WriteString(")\n\nfunc main() { cli.Main() }\n")
	return os.WriteFile(filepath.Join(s.main, "main.go"), []byte(text.String()), 0o666)
}

// listed is what `go list -json` says of a package.
type listed struct {
	ImportPath, Name string
	Error            *struct{ Err string }
}

// hasGo says whether a folder holds a package.
func hasGo(dir string) bool {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	return err == nil && len(files) > 0
}

// packages are the import paths that an argument of --with names.
func (b *build) packages(w with) ([]string, error) {
	pattern := w.path
	if w.all {
		pattern += "/..."
	}
	text, err := b.goCommand("list", "-e", "-overlay", b.space.overlay, "-json=ImportPath,Name,Error", "--", pattern)
	if err != nil {
		return nil, err
	}
	var found []string
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("what go list says: %w", err)
		}
		switch {
		case p.Name == "" && p.Error != nil && w.dir != "" && (strings.Contains(p.Error.Err, "no Go files") || !hasGo(w.dir)):
			return nil, fmt.Errorf("there are no Go files in this folder; --with %s/... takes the packages below it", strings.TrimSuffix(w.text, "/"))
		case p.Name == "" && p.Error != nil:
			return nil, errors.New(b.readable(p.Error.Err))
		case p.Name == "main" && w.all: // a program among them
		case p.Name == "main":
			return nil, errors.New("this is a program (package main), which none can import: put the components into a package of another name")
		default:
			found = append(found, p.ImportPath)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("no package is there")
	}
	return found, nil
}
