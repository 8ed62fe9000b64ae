package vision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/checkpoint"
	"github.com/lighter-go/lighter/internal/diag"
	"github.com/lighter-go/lighter/internal/weights"
)

// Weights names trained weights: a file, or torchvision's name, "DEFAULT" or "ResNet18_Weights.IMAGENET1K_V1"; "" is none.
type Weights string

// ConfigType implements the registry's Decoder.
func (*Weights) ConfigType() string { return "a .pth file's path, or a name as DEFAULT" }

// DecodeConfig implements the registry's Decoder.
func (w *Weights) DecodeConfig(v any) error {
	switch x := v.(type) {
	case nil:
		*w = ""
	case string:
		*w = Weights(x)
	default:
		return fmt.Errorf("must be %s, got %v", w.ConfigType(), v)
	}
	return nil
}

// files are the weights that torchvision offers for a network, under the names of an enum. The last is its DEFAULT. All are for the 1000
// classes of ImageNet.
type files struct {
	enum string
	all  []file
}

type file struct{ name, path string }

const (
	imageNetClasses = 1000
	source          = "https://download.pytorch.org/models/"
)

// named finds one of torchvision's by its name, with or without the enum's.
func (f files) named(w Weights) (file, bool) {
	name := strings.TrimPrefix(string(w), f.enum+".")
	if name == "DEFAULT" {
		return f.all[len(f.all)-1], true
	}
	for _, known := range f.all {
		if known.name == name {
			return known, true
		}
	}
	return file{}, false
}

// isPath says whether w is meant as a file.
func (w Weights) isPath() bool {
	return strings.ContainsRune(string(w), os.PathSeparator) || slices.Contains([]string{".pth", ".pt", ".ckpt", ".safetensors"}, filepath.Ext(string(w)))
}

func (f files) check(w Weights, classes int64) error {
	if w == "" || w.isPath() {
		return nil
	}
	if _, ok := f.named(w); !ok {
		names := []string{"DEFAULT"}
		for _, known := range f.all {
			names = append(names, known.name)
		}
		hint := ""
		if near := diag.Nearest(string(w), names, 1); len(near) > 0 {
			hint = fmt.Sprintf(", did you mean %q?", near[0])
		}
		return lighter.FieldError("weights", "Invalid Weight class %q%s: it must be the path of a .pth file, or one of %s of %s", string(w), hint, strings.Join(names, ", "), f.enum)
	}
	if classes != imageNetClasses {
		return lighter.FieldError("num_classes", "The parameter 'num_classes' expected value %d but got %d instead: %s's weights have that many", imageNetClasses, classes, f.enum)
	}
	return nil
}

// load reads the weights into a network.
func (f files) load(env *lighter.Env, m lighter.Module, w Weights) error {
	path := string(w)
	if !w.isPath() {
		known, _ := f.named(w)
		path = filepath.Join(hubDir(), "checkpoints", known.path)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("lighter downloads nothing, and %s is not there. Get it once: `curl --create-dirs -o %s %s%s`, or give the path of your copy as `weights:`",
				path, path, source, known.path)
		}
	}
	file, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := weights.Load(m.Tree(), file, env.Log); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// hubDir is where torch.hub keeps what it downloads.
func hubDir() string {
	home := os.Getenv("TORCH_HOME")
	if home == "" {
		cache := os.Getenv("XDG_CACHE_HOME")
		if cache == "" {
			user, _ := os.UserHomeDir()
			cache = filepath.Join(user, ".cache")
		}
		home = filepath.Join(cache, "torch")
	}
	return filepath.Join(home, "hub")
}
