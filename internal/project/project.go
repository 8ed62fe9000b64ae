// Package project makes the user's own code known to a configuration: the files of Starlark of a folder with a marker,
// whose functions targets such as `project.models.unet.UNet` name.
//
// Nothing is read but the files of that folder, and checking a configuration runs none of them: a file runs when the first
// of its functions is called.
package project

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/registry"
)

// The files that have a meaning of their own: a folder with the marker is a project, and the names of a package's own file are
// the package's.
const (
	Marker      = "__lighter__.star"
	packageFile = "__init__.star"
	extension   = ".star"
)

// Project is a folder of user code.
type Project struct {
	root   *os.Root
	log    zerolog.Logger
	limits Limits

	mu      sync.Mutex
	files   map[string]*file // by their slash-separated paths in the folder
	session *session
}

// Open gives the project of a folder; nil when the folder has no marker.
func Open(dir string, log zerolog.Logger) (*Project, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the project: %w", err)
	}
	if _, err := root.Stat(Marker); err != nil {
		return nil, errors.Join(root.Close(), notThere(err))
	}
	p := &Project{root: root, log: log, files: map[string]*file{}, limits: usual}
	if err := p.settings(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return p, nil
}

// notThere is nil for the error of a file that does not exist.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("look for %s: %w", Marker, err)
}

// Close lets go of the folder and of what its code has made.
func (p *Project) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session = nil
	return p.root.Close()
}

// Sources are the files read so far.
func (p *Project) Sources() diag.Sources {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := diag.Sources{}
	for name, f := range p.files {
		all[name] = f.text
	}
	return all
}

var identifier = regexp.MustCompile(`^[\pL_][\pL\pN_]*$`)

// Find gives what a dotted name stands for: a folder or file, or a name that a file defines.
func (p *Project) Find(name string) (any, error) {
	at, parts := ".", strings.Split(name, ".")[1:]
	for i, part := range parts {
		if !identifier.MatchString(part) {
			return nil, diag.Diagnostic{Msg: fmt.Sprintf("%q is no name of the project: %q is no identifier", name, part)}
		}
		next := path.Join(at, part)
		isDir := p.isDir(next)
		switch {
		case isDir && (p.isFile(path.Join(next, packageFile)) || !p.isFile(next+extension)):
			at = next
			continue
		case p.isFile(next + extension): // as in Python, a folder beside it may hold anything
			return p.member(next+extension, name, parts[i+1:])
		case p.isFile(path.Join(at, packageFile)):
			return p.member(path.Join(at, packageFile), name, parts[i:])
		}
		return nil, p.absent(at, part, name)
	}
	return registry.Package{Name: name, Members: p.list(at)}, nil
}

// member is what a file defines under the last parts of a name, or the file itself.
func (p *Project) member(file, name string, rest []string) (any, error) {
	f, err := p.load(file)
	if err != nil {
		return nil, err
	}
	if len(rest) == 0 {
		return registry.Package{Name: name, Members: f.names()}, nil
	}
	if len(rest) > 1 {
		return nil, diag.Diagnostic{Msg: fmt.Sprintf("%s: a target names a function of a file, and %q is within %q", name, rest[1], rest[0])}
	}
	return p.global(f, rest[0])
}

// absent says that a folder has no such file, and what it has.
func (p *Project) absent(dir, part, name string) error {
	d := diag.Diagnostic{Msg: fmt.Sprintf("%s: the project has no %s", name, path.Join(dir, part+extension))}
	names := p.list(dir)
	switch near := diag.Nearest(part, names, 1); {
	case p.isFile(path.Join(dir, part+".py")):
		d.Hint = fmt.Sprintf("%s is Python, which lighter does not run: port it to Starlark as docs/porting.md shows", path.Join(dir, part+".py"))
	case len(near) > 0:
		d.Hint = fmt.Sprintf("did you mean %q?", near[0])
	case len(names) > 0:
		d.Hint = "there are " + strings.Join(names, ", ")
	}
	return d
}

// list names the packages of a folder, and the names of its own file.
func (p *Project) list(dir string) []string {
	names := []string{}
	entries, err := fs.ReadDir(p.root.FS(), dir)
	if err != nil {
		return names
	}
	for _, e := range entries {
		name, isCode := strings.CutSuffix(e.Name(), extension)
		switch {
		case e.Name() == packageFile:
			if f, err := p.load(path.Join(dir, packageFile)); err == nil {
				names = append(names, f.names()...)
			}
		case identifier.MatchString(name) && (isCode && e.Name() != Marker || e.IsDir()):
			names = append(names, name)
		}
	}
	return names
}

func (p *Project) isDir(name string) bool {
	info, err := p.root.Stat(name)
	return err == nil && info.IsDir()
}

func (p *Project) isFile(name string) bool {
	info, err := p.root.Stat(name)
	return err == nil && info.Mode().IsRegular()
}
