package vision

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/registry"
)

// imageExtensions are torchvision's IMG_EXTENSIONS.
var imageExtensions = []string{".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}

// ImageFolder is torchvision.datasets.ImageFolder.
type ImageFolder struct {
	Root            string             `cfg:"root,required" help:"the folder with a folder of images for each class"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to each image"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to each class, an int"`
	Loader          Loader             `cfg:"loader" help:"how a file is read; null for torchvision's default_loader"`
	IsValidFile     Predicate          `cfg:"is_valid_file" help:"a callable of a path that says whether to take the file"`
	AllowEmpty      bool               `cfg:"allow_empty" help:"a class may have no images"`
	OnError         string             `cfg:"on_error" help:"skip: the next image takes the place of one that cannot be read" oneof:"raise|skip"`
}

// Doc is the reference's text.
func (ImageFolder) Doc() string {
	return `Images in folders, one for each class, which are numbered in the order of their names. Every image is converted to RGB;
an orientation in EXIF data is not applied, as in torchvision. A file that cannot be read stops the run with its path;
` + "`on_error: skip`" + `, which torchvision does not have, takes the next image instead and warns with the number of files skipped so far. The formats are in docs/images.md.`
}

// Build finds the files.
func (c ImageFolder) Build(env *lighter.Env) (lighter.Dataset, error) {
	f := folder{root: c.Root, valid: c.IsValidFile.f, allowEmpty: c.AllowEmpty, skip: c.OnError == "skip", log: env.Log}
	if f.valid == nil {
		f.extensions = imageExtensions
	}
	return f.open(c.Loader, c.Transform, c.TargetTransform)
}

// DatasetFolder is torchvision.datasets.DatasetFolder.
type DatasetFolder struct {
	Root            string             `cfg:"root,required" help:"the folder with a folder of files for each class"`
	Loader          Loader             `cfg:"loader,required" help:"how a file is read: a callable of a path"`
	Extensions      Extensions         `cfg:"extensions" help:"endings of the files to take"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to each sample"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to each class, an int"`
	IsValidFile     Predicate          `cfg:"is_valid_file" help:"a callable of a path that says whether to take the file"`
	AllowEmpty      bool               `cfg:"allow_empty" help:"a class may have no files"`
	OnError         string             `cfg:"on_error" help:"skip: the next file takes the place of one that cannot be read" oneof:"raise|skip"`
}

// Doc is the reference's text.
func (DatasetFolder) Doc() string {
	return "Files in folders, one for each class. `on_error` is as in torchvision.datasets.ImageFolder."
}

// Build finds the files.
func (c DatasetFolder) Build(env *lighter.Env) (lighter.Dataset, error) {
	if (c.Extensions == nil) == (c.IsValidFile.f == nil) {
		return nil, lighter.FieldError("extensions", "Both extensions and is_valid_file cannot be None or not None at the same time")
	}
	f := folder{root: c.Root, extensions: c.Extensions, valid: c.IsValidFile.f, allowEmpty: c.AllowEmpty, skip: c.OnError == "skip", log: env.Log}
	return f.open(c.Loader, c.Transform, c.TargetTransform)
}

// folder is a folder of classes.
type folder struct {
	root       string
	extensions []string
	valid      registry.Func
	allowEmpty bool
	skip       bool
	log        zerolog.Logger

	paths   []string
	classes []int64

	mu      sync.Mutex
	skipped map[string]bool
	bomb    sync.Once
}

func (f *folder) open(l Loader, change, target transform.Argument) (lighter.Dataset, error) {
	if err := f.find(); err != nil {
		return inRoot(nil, err)
	}
	class := func(i int) int64 { return f.classes[i] }
	if l.f != nil {
		return &loaded{folder: f, load: l.f, change: change.Transform, target: target.Transform}, nil
	}
	load := f.load
	if f.skip {
		// The class must be that of the image that is taken, so both are asked for the place that stands in.
		class = func(i int) int64 { return f.classes[f.sound(i)] }
		load = f.loadSound
	}
	s := newSet(len(f.paths), load, class, change, target)
	s.place = f.Locate
	return s, nil
}

func (f *folder) load(i int) (*image.File, error) {
	m, err := image.Read(f.paths[i])
	if err != nil {
		return nil, err
	}
	if n := m.Width * m.Height; n > image.WarnPixels {
		f.bomb.Do(func() {
			f.log.Warn().Msgf("%s: Image size (%d pixels) exceeds limit of %d pixels, could be decompression bomb DOS attack.", f.paths[i], n, int(image.WarnPixels))
		})
	}
	return m.Convert(image.RGB), nil
}

// find lists the files as torchvision does: classes by name, then folders by path, then files by name.
func (f *folder) find() error {
	root := expandHome(f.root)
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	var names []string
	for _, e := range entries {
		if st, err := os.Stat(filepath.Join(root, e.Name())); err == nil && st.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return says("Couldn't find any class folder in %s.", f.root)
	}
	slices.Sort(names)
	var empty []string
	for class, name := range names {
		before := len(f.paths)
		files, err := walk(filepath.Join(root, name))
		if err != nil {
			return err
		}
		for _, path := range files {
			ok, err := f.takes(path)
			if err != nil {
				return err
			}
			if ok {
				f.paths = append(f.paths, path)
				f.classes = append(f.classes, int64(class))
			}
		}
		if len(f.paths) == before {
			empty = append(empty, name)
		}
	}
	if len(empty) > 0 && !f.allowEmpty {
		msg := fmt.Sprintf("Found no valid file for the classes %s.", strings.Join(empty, ", "))
		if f.extensions != nil {
			msg += " Supported extensions are: " + strings.Join(f.extensions, ", ")
		}
		return errors.New(msg)
	}
	return nil
}

func (f *folder) takes(path string) (bool, error) {
	if f.valid != nil {
		v, err := f.valid([]any{path}, nil)
		if err != nil {
			return false, fmt.Errorf("is_valid_file(%q): %w", path, err)
		}
		ok, isBool := v.(bool)
		if !isBool {
			return false, fmt.Errorf("is_valid_file(%q) gave %s, not a bool", path, lighter.TypeName(v))
		}
		return ok, nil
	}
	low := strings.ToLower(path)
	return slices.ContainsFunc(f.extensions, func(e string) bool { return strings.HasSuffix(low, e) }), nil
}

// walk lists the files of a folder and of those in it, by the folders' paths; links are followed, but not in a circle.
func walk(top string) ([]string, error) {
	byFolder := map[string][]string{}
	var folders []string
	var visit func(dir string, above []string) error
	visit = func(dir string, above []string) error {
		folders = append(folders, dir)
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			st, err := os.Stat(path)
			if err != nil || !st.IsDir() {
				byFolder[dir] = append(byFolder[dir], path)
				continue
			}
			real, err := filepath.EvalSymlinks(path)
			if err != nil {
				return err
			}
			if !slices.Contains(above, real) {
				if err := visit(path, append(above[:len(above):len(above)], real)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	real, err := filepath.EvalSymlinks(top)
	if err != nil {
		return nil, err
	}
	if err := visit(top, []string{real}); err != nil {
		return nil, err
	}
	slices.Sort(folders)
	var files []string
	for _, d := range folders {
		slices.Sort(byFolder[d])
		files = append(files, byFolder[d]...)
	}
	return files, nil
}

// sound is the first of the places from i on whose file has not been found broken.
func (f *folder) sound(i int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	for range f.paths {
		if !f.skipped[f.paths[i]] {
			return i
		}
		i = (i + 1) % len(f.paths)
	}
	return i
}

// loadSound reads the file at i or the first sound one after it.
func (f *folder) loadSound(i int) (m *image.File, err error) {
	err = f.firstSound(i, func(at int) (err error) {
		m, err = f.load(at)
		return err
	})
	return m, err
}

// firstSound tries the files from i on until one can be read.
func (f *folder) firstSound(i int, try func(at int) error) error {
	for range f.paths {
		at := f.sound(i)
		err := try(at)
		if err == nil {
			return nil
		}
		f.mu.Lock()
		if f.skipped == nil {
			f.skipped = map[string]bool{}
		}
		f.skipped[f.paths[at]] = true
		n := len(f.skipped)
		f.mu.Unlock()
		f.log.Warn().Int("skipped", n).Msgf("a file cannot be read, the next one takes its place: %v", err)
	}
	return fmt.Errorf("%s: none of its %d files can be read", f.root, len(f.paths))
}

// loaded is a folder whose files a function of the configuration reads.
type loaded struct {
	*folder
	load           registry.Func
	change, target lighter.Transform
}

// Len is the number of files.
func (l *loaded) Len() int { return len(l.paths) }

// Item gives (sample, class).
func (l *loaded) Item(i int) (lighter.Value, error) { return l.Draw(i, draw.Default{}) }

// Draw implements [lighter.Drawer].
func (l *loaded) Draw(i int, r lighter.Rand) (lighter.Value, error) {
	draw.Unknown(r)
	var v lighter.Value
	read := func(at int) (err error) {
		i = at
		if v, err = l.load([]any{l.paths[at]}, nil); err != nil {
			return fmt.Errorf("%s: %w", l.paths[at], err)
		}
		return nil
	}
	var err error
	if l.skip {
		err = l.firstSound(i, read)
	} else {
		err = read(i)
	}
	if err != nil {
		return nil, err
	}
	if l.change != nil {
		if v, err = l.change.Apply(v, r); err != nil {
			return nil, fmt.Errorf("transform: %w", err)
		}
	}
	s := set{target: l.target}
	return s.labelled(v, l.classes[i], r)
}

// Locate implements [lighter.Locator].
func (f *folder) Locate(i int) string { return f.paths[i] }

// expandHome puts the home folder for a leading ~.
func expandHome(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, path[1:])
		}
	}
	return path
}

// Loader is how a file is read: torchvision's image loader, or a callable of its path.
type Loader struct{ f registry.Func }

type defaultLoader struct{}

// ConfigType implements [registry.Decoder].
func (*Loader) ConfigType() string {
	return "torchvision.datasets.folder.default_loader, a callable of a path, or null"
}

// DecodeConfig implements [registry.Decoder].
func (l *Loader) DecodeConfig(v any) error {
	*l = Loader{}
	switch x := v.(type) {
	case nil, defaultLoader:
		return nil
	case string:
		if _, ok := strings.CutPrefix(x, "torchvision.datasets.folder."); ok && (strings.HasSuffix(x, ".default_loader") || strings.HasSuffix(x, ".pil_loader")) {
			return nil
		}
	case registry.Func:
		l.f = x
		return nil
	}
	return fmt.Errorf("must be %s, got %s", l.ConfigType(), registry.Describe(v))
}

// Predicate is a callable of a path.
type Predicate struct{ f registry.Func }

// ConfigType implements [registry.Decoder].
func (*Predicate) ConfigType() string { return "a callable of a path, or null" }

// DecodeConfig implements [registry.Decoder].
func (p *Predicate) DecodeConfig(v any) error {
	*p = Predicate{}
	switch x := v.(type) {
	case nil:
		return nil
	case registry.Func:
		p.f = x
		return nil
	}
	return fmt.Errorf("must be %s, got %s", p.ConfigType(), registry.Describe(v))
}

// callable says what a check finds of a value that is to be a callable.
func callable(v any, decode func(any) error) error {
	if p, ok := v.(registry.Promise); ok {
		return fmt.Errorf("must be a callable, got %s\nadd `_mode_: callable` beside its _target_", p.Entry.Target)
	}
	if _, later := v.(config.Unknown); later {
		return nil
	}
	return decode(v)
}

// CheckConfig implements [registry.Checker].
func (l *Loader) CheckConfig(v any) error { return callable(v, l.DecodeConfig) }

// CheckConfig implements [registry.Checker].
func (p *Predicate) CheckConfig(v any) error { return callable(v, p.DecodeConfig) }

// Extensions is one ending or a list of them.
type Extensions []string

// ConfigType implements [registry.Decoder].
func (*Extensions) ConfigType() string { return "a str or a list of strs" }

// DecodeConfig implements [registry.Decoder].
func (e *Extensions) DecodeConfig(v any) error {
	*e = nil
	items, isList := v.([]any)
	if !isList {
		items = []any{v}
	}
	for _, item := range items {
		switch s := item.(type) {
		case string:
			*e = append(*e, strings.ToLower(s))
		case nil:
		default:
			return fmt.Errorf("must be %s, got %s", e.ConfigType(), registry.Describe(v))
		}
	}
	return nil
}

var (
	_ registry.Checker = (*Loader)(nil)
	_ registry.Checker = (*Predicate)(nil)
	_ registry.Decoder = (*Extensions)(nil)
	_ lighter.Drawer   = (*loaded)(nil)
	_ lighter.Locator  = (*loaded)(nil)
)

func init() {
	registry.Register[lighter.Dataset]("torchvision.datasets.ImageFolder", ImageFolder{OnError: "raise"}, "torchvision.datasets.folder.ImageFolder")
	registry.Register[lighter.Dataset]("torchvision.datasets.DatasetFolder", DatasetFolder{OnError: "raise"}, "torchvision.datasets.folder.DatasetFolder")
	registry.Constant("torchvision.datasets.folder.default_loader", defaultLoader{})
	registry.Constant("torchvision.datasets.folder.pil_loader", defaultLoader{})
}
