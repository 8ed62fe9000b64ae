package vision

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/data/transform"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/internal/torchfile"
)

// Parts are the arguments of the data sets with a training and a test part.
type Parts struct {
	Root            string             `cfg:"root,required" help:"the folder that holds the data set's own"`
	Train           bool               `cfg:"train" help:"the training part; else the test part"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to each image"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to each class, an int"`
	Download        bool               `cfg:"download" help:"get the files when they are not there"`
}

// CIFAR is torchvision.datasets.CIFAR10 and CIFAR100.
type CIFAR struct {
	Parts
	name string
}

// Doc is the reference's text.
func (c CIFAR) Doc() string {
	return "RGB images of 32x32 pixels in the pickles of ROOT/" + cifarSets[c.name].dir + ", which are read as data: they can run nothing."
}

// cifarFiles are a set's files.
type cifarFiles struct {
	dir         string
	archive     remote
	train, test []remote
	labels      string // the key of the classes
	classes     int
}

var cifarSets = map[string]cifarFiles{
	"CIFAR10": {
		dir:     "cifar-10-batches-py",
		archive: remote{"cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a", []string{"https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"}},
		train: []remote{
			{name: "data_batch_1", md5: "c99cafc152244af753f735de768cd75f"}, {name: "data_batch_2", md5: "d4bba439e000b95fd0a9bffe97cbabec"},
			{name: "data_batch_3", md5: "54ebc095f3ab1f0389bbae665268c751"}, {name: "data_batch_4", md5: "634d18415352ddfa80567beed471001a"},
			{name: "data_batch_5", md5: "482c414d41f54cd18b22e5b47cb7c3cb"},
		},
		test:   []remote{{name: "test_batch", md5: "40351d587109b95175f43aff81a1287e"}},
		labels: "labels", classes: 10,
	},
	"CIFAR100": {
		dir:     "cifar-100-python",
		archive: remote{"cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85", []string{"https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"}},
		train:   []remote{{name: "train", md5: "16019d7e3df5f24257cddd939b257f8d"}},
		test:    []remote{{name: "test", md5: "f0ef6b0ae62326f3e7ffdfab6717acfc"}},
		labels:  "fine_labels", classes: 100,
	},
}

// Build reads the part.
func (c CIFAR) Build(env *lighter.Env) (lighter.Dataset, error) { return inRoot(c.read(env)) }

func (c CIFAR) read(env *lighter.Env) (lighter.Dataset, error) {
	set := cifarSets[c.name]
	root := expandHome(c.Root)
	dir := filepath.Join(root, set.dir)
	files := set.test
	if c.Train {
		files = set.train
	}
	check := func() error {
		for _, f := range files {
			if err := verify(filepath.Join(dir, f.name), f.md5); err != nil {
				return err
			}
		}
		return nil
	}
	err := check()
	if err != nil && c.Download {
		if err := fetch(set.archive, root, env); err != nil {
			return nil, err
		}
		if err := untar(filepath.Join(root, set.archive.name), root); err != nil {
			return nil, err
		}
		err = check()
	}
	if err != nil {
		var names []string
		for _, f := range files {
			names = append(names, f.name)
		}
		return nil, missing("torchvision.datasets."+c.name, dir, names, err)
	}
	var pix []byte
	var classes []int64
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p, l, err := parseCIFAR(data, set.labels, set.classes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		pix, classes = append(pix, p...), append(classes, l...)
	}
	return inMemory(image.RGB, 32, 32, pix, classes, c.Transform, c.TargetTransform), nil
}

// parseCIFAR reads a batch: a dict with "data", uint8 [N, 3072] of three planes, and a list of classes.
func parseCIFAR(data []byte, key string, classes int) (pix []byte, labels []int64, err error) {
	root, err := torchfile.ReadPickle(data)
	if err != nil {
		return nil, nil, err
	}
	d, ok := root.(*torchfile.Dict)
	if !ok {
		return nil, nil, errors.New("it is no dict")
	}
	v, _ := d.Get("data")
	a, ok := v.(*torchfile.Array)
	if !ok || a.Code != "u1" || len(a.Shape) != 2 || a.Shape[1] != 3*32*32 {
		return nil, nil, errors.New(`its "data" is no uint8 array of shape [N, 3072]`)
	}
	v, _ = d.Get(key)
	list, ok := v.([]any)
	if !ok || int64(len(list)) != a.Shape[0] {
		return nil, nil, fmt.Errorf("its %q is no list of %d classes", key, a.Shape[0])
	}
	for i, item := range list {
		l, ok := item.(int64)
		if !ok || l < 0 || l >= int64(classes) {
			return nil, nil, fmt.Errorf("label %v of image %d is out of range, there are %d classes", item, i, classes)
		}
		labels = append(labels, l)
	}
	return interleaved(a.Data, len(list), 3, 32*32), labels, nil
}

// untar unpacks the files of an archive; names that lead outside are refused.
func untar(archive, dir string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	t := tar.NewReader(io.LimitReader(z, maxData))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: the archive is truncated or damaged: %w", archive, err)
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
			return fmt.Errorf("%s: the archive's file %q lies outside of it", archive, h.Name)
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if err := keep(t, to); err != nil {
			return fmt.Errorf("%s: %s: %w", archive, h.Name, err)
		}
	}
}

func init() {
	for name := range cifarSets {
		registry.Register[lighter.Dataset]("torchvision.datasets."+name, CIFAR{Parts: Parts{Train: true}, name: name}, "torchvision.datasets.cifar."+name)
	}
}
