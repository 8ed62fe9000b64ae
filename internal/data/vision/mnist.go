package vision

import (
	"archive/zip"
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
)

// MNIST is torchvision.datasets.MNIST, and FashionMNIST and KMNIST, which have its format.
type MNIST struct {
	Parts
	name string
}

// Doc is the reference's text.
func (c MNIST) Doc() string {
	return "Grey images of 28x28 pixels in IDX files, ROOT/" + c.name + "/raw/train-images-idx3-ubyte and so on, as they are or packed as .gz."
}

// mnistFiles are the archives of a set, with their checksums, and where they are.
type mnistFiles struct {
	mirrors []string
	md5     [4]string // training images and labels, test images and labels
}

var mnistSets = map[string]mnistFiles{
	"MNIST": {
		[]string{"https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"},
		[4]string{"f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432", "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"},
	},
	"FashionMNIST": {
		[]string{"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"},
		[4]string{"8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe", "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"},
	},
	"KMNIST": {
		[]string{"http://codh.rois.ac.jp/kmnist/dataset/kmnist/"},
		[4]string{"bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344", "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134"},
	},
}

var mnistNames = [4]string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}

// Build reads the part.
func (c MNIST) Build(env *lighter.Env) (lighter.Dataset, error) { return inRoot(c.read(env)) }

func (c MNIST) read(env *lighter.Env) (lighter.Dataset, error) {
	dir := filepath.Join(expandHome(c.Root), c.name, "raw")
	if c.Download {
		files := mnistSets[c.name]
		for i, name := range mnistNames {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				continue
			}
			r := remote{name: name + ".gz", md5: files.md5[i]}
			for _, m := range files.mirrors {
				r.urls = append(r.urls, m+r.name)
			}
			if err := fetch(r, dir, env); err != nil {
				return nil, err
			}
		}
	}
	at := 0
	if !c.Train {
		at = 2
	}
	return openIDX("torchvision.datasets."+c.name, dir, mnistNames[at], mnistNames[at+1], 10, c.Transform, c.TargetTransform)
}

// openIDX is a set of two IDX files.
func openIDX(what, dir, imageName, labelName string, classes int, change, target transform.Argument) (lighter.Dataset, error) {
	images, err := readIDX(filepath.Join(dir, imageName), 3)
	if err != nil {
		return nil, missing(what, dir, []string{imageName, labelName}, err)
	}
	labels, err := readIDX(filepath.Join(dir, labelName), 1)
	if err != nil {
		return nil, missing(what, dir, []string{imageName, labelName}, err)
	}
	if images.shape[0] != labels.shape[0] {
		return nil, fmt.Errorf("%s has %d images, %s has %d labels", filepath.Join(dir, imageName), images.shape[0], labelName, labels.shape[0])
	}
	list := make([]int64, len(labels.data))
	for i, l := range labels.data {
		if int(l) >= classes {
			return nil, fmt.Errorf("%s: label %d of image %d is out of range, there are %d classes", filepath.Join(dir, labelName), l, i, classes)
		}
		list[i] = int64(l)
	}
	return inMemory(image.L, images.shape[1], images.shape[2], images.data, list, change, target), nil
}

// EMNIST is torchvision.datasets.EMNIST.
type EMNIST struct {
	Root            string             `cfg:"root,required" help:"the folder that holds the data set's own"`
	Split           string             `cfg:"split,required" help:"which classes" oneof:"byclass|bymerge|balanced|letters|digits|mnist"`
	Train           bool               `cfg:"train" help:"the training part; else the test part"`
	Transform       transform.Argument `cfg:"transform" help:"what is done to each image"`
	TargetTransform transform.Argument `cfg:"target_transform" help:"what is done to each class, an int"`
	Download        bool               `cfg:"download" help:"get the files when they are not there"`
}

// Doc is the reference's text.
func (EMNIST) Doc() string {
	return "Grey images of 28x28 pixels of letters and digits, in IDX files as the site ships them: they lie on their side, as in torchvision. Letters are numbered from 1."
}

var emnistFile = remote{"gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e", []string{"https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"}}

// Build reads the part.
func (c EMNIST) Build(env *lighter.Env) (lighter.Dataset, error) { return inRoot(c.read(env)) }

func (c EMNIST) read(env *lighter.Env) (lighter.Dataset, error) {
	dir := filepath.Join(expandHome(c.Root), "EMNIST", "raw")
	part := "test"
	if c.Train {
		part = "train"
	}
	prefix := "emnist-" + c.Split + "-" + part
	if _, _, err := readMaybeZipped(filepath.Join(dir, prefix+"-images-idx3-ubyte")); err != nil && c.Download {
		if err := fetch(emnistFile, dir, env); err != nil {
			return nil, err
		}
		if err := unzip(filepath.Join(dir, emnistFile.name), dir); err != nil {
			return nil, err
		}
	}
	classes := map[string]int{"byclass": 62, "bymerge": 47, "balanced": 47, "letters": 27, "digits": 10, "mnist": 10}[c.Split]
	return openIDX("torchvision.datasets.EMNIST", dir, prefix+"-images-idx3-ubyte", prefix+"-labels-idx1-ubyte", classes, c.Transform, c.TargetTransform)
}

// unzip takes the .gz files out of an archive, without their folders.
func unzip(archive, dir string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	defer z.Close()
	for _, f := range z.File {
		name := path.Base(f.Name)
		if !strings.HasSuffix(name, ".gz") {
			continue
		}
		if err := extract(f, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %s: %w", archive, f.Name, err)
		}
	}
	return nil
}

func extract(f *zip.File, to string) error {
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	return keep(io.LimitReader(in, maxData), to)
}

// keep writes a file under its name once it is whole.
func keep(in io.Reader, to string) error {
	out, err := os.CreateTemp(filepath.Dir(to), ".part-*")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name())
	_, err = io.Copy(out, in)
	if e := out.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(out.Name(), 0o644)
	}
	if err != nil {
		return err
	}
	return os.Rename(out.Name(), to)
}

func init() {
	for name := range mnistSets {
		registry.Register[lighter.Dataset]("torchvision.datasets."+name, MNIST{Parts: Parts{Train: true}, name: name}, "torchvision.datasets.mnist."+name)
	}
	registry.Register[lighter.Dataset]("torchvision.datasets.EMNIST", EMNIST{Train: true}, "torchvision.datasets.mnist.EMNIST")
}
