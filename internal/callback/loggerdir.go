package callback

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/atomicfile"
)

// Version is the argument version: an int, a str or null. Folder is "version_<n>", or the str as it is; "" for the next free one.
type Version struct{ Folder string }

// ConfigType names the forms.
func (v *Version) ConfigType() string { return "an int, a str or null" }

// DecodeConfig takes any of the forms.
func (v *Version) DecodeConfig(x any) error {
	switch x := x.(type) {
	case nil:
		v.Folder = ""
	case int64:
		v.Folder = "version_" + strconv.FormatInt(x, 10)
	case string:
		v.Folder = x
	default:
		return errors.New("expected " + v.ConfigType())
	}
	return nil
}

// loggerDir is a logger's folder of a run, `<root>/<version>`.
type loggerDir struct {
	root    string
	version string         // "" for the next free number
	of      lighter.Logger // the logger whose folder it is, nil for one of its own
	dir     string
	made    bool // we made dir for this run

	continued bool // the folder is that of a run that goes on
}

// ShareDir makes the logger write to the folder of another, whatever its own arguments say. It comes before Open. Without it two
// loggers of one run with the same arguments write to version_0 and version_1, as with PyTorch Lightning.
func (d *loggerDir) ShareDir(of lighter.Logger) { d.of = of }

// Dir is the run's folder. The next free number is taken by making its folder, so that runs started at the same time get
// folders of their own.
func (d *loggerDir) Dir() string {
	switch {
	case d.dir != "":
	case d.of != nil:
		d.dir = d.of.Dir()
	case d.version != "":
		d.dir = filepath.Join(d.root, d.version)
	default:
		d.dir = d.claim()
	}
	return d.dir
}

// claim makes the next free version's folder. A failure shows in Open.
func (d *loggerDir) claim() string {
	err := os.MkdirAll(d.root, 0o777)
	for n := nextVersion(d.root); ; n++ {
		dir := filepath.Join(d.root, fmt.Sprintf("version_%d", n))
		if err == nil {
			err = os.Mkdir(dir, 0o777)
		}
		if errors.Is(err, fs.ErrExist) {
			err = nil
			continue
		}
		d.made = err == nil
		return dir
	}
}

// nextVersion is one more than the greatest number of a version_<n> folder in root.
func nextVersion(root string) int {
	entries, _ := os.ReadDir(root)
	next := 0
	for _, e := range entries {
		name, ok := strings.CutPrefix(e.Name(), "version_")
		name, _, _ = strings.Cut(name, "_")
		if n, err := strconv.ParseUint(name, 10, 31); ok && err == nil && isDir(filepath.Join(root, e.Name())) {
			next = max(next, int(n)+1)
		}
	}
	return next
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// removeUnused removes a folder made for a run that ended before it wrote anything.
func (d *loggerDir) removeUnused() {
	if d.made {
		os.Remove(d.dir) // fails, as it should, when there is something in it
	}
}

// writeHyperparams makes hparams.yaml in dir: the configuration under `config` and at the top, as Lighter's run leaves it.
func writeHyperparams(dir string, config []byte) error {
	var b bytes.Buffer
	if !bytes.HasPrefix(config, []byte("config:")) && !bytes.Contains(config, []byte("\nconfig:")) {
		b.WriteString("config:\n")
		for line := range bytes.Lines(config) {
			if len(bytes.TrimSpace(line)) > 0 {
				b.WriteString("    ")
			}
			b.Write(line)
		}
	}
	b.Write(config)
	return atomicfile.Write(filepath.Join(dir, hparamsFile), func(w io.Writer) error {
		_, err := b.WriteTo(w)
		return err
	})
}

const hparamsFile = "hparams.yaml"
