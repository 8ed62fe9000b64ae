package custom

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// with is an argument of --with.
type with struct {
	text    string
	dir     string // a folder, absolute; "" for a package of a published module
	path    string // an import path
	version string // "" for the newest
	all     bool   // "/...": the packages below, too
}

// importPath is what the path of a published module looks like: its first part is a host's name.
var importPath = regexp.MustCompile(`^[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+(/[a-zA-Z0-9._~!+-]+)*$`)

func parseAll(texts []string) ([]with, error) {
	if len(texts) == 0 {
		return nil, errors.New("--with is missing: it names the package of your components, a folder (--with ./mypkg) or a published one (--with example.com/mod@v1.2.3)")
	}
	var all []with
	seen := map[string]bool{}
	for _, text := range texts {
		w, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("--with %s: %w", text, err)
		}
		if key := w.dir + w.path + fmt.Sprint(w.all); !seen[key] {
			seen[key] = true
			all = append(all, w)
		}
	}
	return all, nil
}

// parse reads FOLDER[/...] or IMPORTPATH[/...][@VERSION].
func parse(text string) (with, error) {
	w := with{text: text}
	name, version, versioned := strings.Cut(text, "@")
	name, w.all = strings.CutSuffix(name, "/...")
	info, err := os.Stat(name)
	isFolder := err == nil && info.IsDir()
	local := name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || filepath.IsAbs(name)
	switch {
	case name == "":
		return w, errors.New("it is empty")
	case err == nil && !isFolder && (local || strings.HasSuffix(name, ".go")):
		return w, fmt.Errorf("this is a file: name its folder, %s", filepath.Dir(name))
	case local && !isFolder:
		return w, errors.New("there is no such folder")
	case isFolder && (local || !versioned):
		if versioned {
			return w, errors.New("a folder has no version: leave out the @" + version)
		}
		w.dir, err = filepath.Abs(name)
		if err != nil {
			return w, err
		}
		// The go command compares real paths.
		w.dir, err = filepath.EvalSymlinks(w.dir)
		return w, err
	case !importPath.MatchString(name):
		return w, errors.New("this is neither a folder nor the import path of a published package, like example.com/mod/layers@v1.2.3")
	case versioned && version == "":
		return w, errors.New("the version after the @ is missing")
	}
	w.path, w.version = name, version
	return w, nil
}
