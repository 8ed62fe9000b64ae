package vision

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	"github.com/lighter-go/lighter/internal/console"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/registry"
)

// site serves files on the loopback. Of a file that is in cut, the first request gets half.
type site struct {
	*httptest.Server
	files  map[string][]byte
	mu     sync.Mutex
	cut    map[string]bool
	ranges []string
}

func newSite(t *testing.T, files map[string][]byte) *site {
	s := &site{files: files, cut: map[string]bool{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := path.Base(r.URL.Path)
		data, ok := s.files[name]
		if !ok {
			http.NotFound(w, r)
			return
		}
		s.mu.Lock()
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		cut := s.cut[name]
		delete(s.cut, name)
		s.mu.Unlock()
		if cut {
			w.Header().Set("Content-Length", "1000000")
			_, _ = w.Write(data[:len(data)/2])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	}))
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s
}

func md5Of(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

// cifarPickle is a batch as Python 2 pickled it: images of one value each, and their classes under a key.
func cifarPickle(key string, values, classes []byte) []byte {
	var pix, list []byte
	for i, v := range values {
		pix = append(pix, bytes.Repeat([]byte{v}, 3072)...)
		list = append(list, 'K', classes[i])
	}
	out := []byte("\x80\x02}q\x01(U" + string([]byte{byte(len(key))}) + key + "q\x02]q\x03(" + string(list) + "eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01K" +
		string([]byte{byte(len(values))}) + "M\x00\x0c\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T")
	return append(append(binary.LittleEndian.AppendUint32(out, uint32(len(pix))), pix...), "tbu."...)
}

func tarGz(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, data := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shipped is a small set in the form that its site ships. into makes the data set ask our server for the file, with a sum.
type shipped struct {
	target, file string
	args         m
	archive      []byte
	mode         image.Mode
	first        byte  // the value of the last image's first pixel
	class        int64 // of the last image
	into         func(t *testing.T, url, sum string)
}

func restore[K comparable, V any](t *testing.T, all map[K]V, key K, v V) {
	was := all[key]
	all[key] = v
	t.Cleanup(func() { all[key] = was })
}

func sets(t *testing.T) []shipped {
	gray := bytes.Repeat([]byte{9}, 2*28*28)
	house := matFile("X", []int{32, 32, 3, 2}, bytes.Repeat([]byte{77}, 32*32*3*2), "y", []int{2, 1}, []byte{4, 10})
	cifar := func(name, dir, key string, trainNames []string) shipped {
		test := cifarPickle(key, []byte{5, 6}, []byte{1, 3})
		files := map[string][]byte{dir + "/readme.html": []byte("x"), dir + "/" + cifarSets[name].test[0].name: test}
		set := cifarSets[name]
		set.train, set.test = nil, []remote{{name: cifarSets[name].test[0].name, md5: md5Of(test)}}
		for i, n := range trainNames {
			data := cifarPickle(key, []byte{byte(10 + i)}, []byte{byte(i)})
			files[dir+"/"+n] = data
			set.train = append(set.train, remote{name: n, md5: md5Of(data)})
		}
		last := len(trainNames) - 1
		return shipped{target: name, file: set.archive.name, args: m{}, archive: tarGz(t, files), mode: image.RGB, first: byte(10 + last), class: int64(last),
			into: func(t *testing.T, url, sum string) {
				set.archive.urls, set.archive.md5 = []string{url}, sum
				restore(t, cifarSets, name, set)
			}}
	}
	return []shipped{
		cifar("CIFAR10", "cifar-10-batches-py", "labels", []string{"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"}),
		cifar("CIFAR100", "cifar-100-python", "fine_labels", []string{"train"}),
		{target: "SVHN", file: "train_32x32.mat", args: m{"split": "train"}, archive: house, mode: image.RGB, first: 77, class: 0, into: func(t *testing.T, url, sum string) {
			restore(t, svhnFiles, "train", remote{"train_32x32.mat", sum, []string{url}})
		}},
		{target: "EMNIST", file: "gzip.zip", args: m{"split": "letters"}, mode: image.L, first: 9, class: 26, archive: zipped(t, map[string][]byte{
			"gzip/emnist-letters-train-images-idx3-ubyte.gz": gzipped(idxFile(gray, 2, 28, 28)),
			"gzip/emnist-letters-train-labels-idx1-ubyte.gz": gzipped(idxFile([]byte{1, 26}, 2)),
		}), into: func(t *testing.T, url, sum string) {
			was := emnistFile
			emnistFile.urls, emnistFile.md5 = []string{url}, sum
			t.Cleanup(func() { emnistFile = was })
		}},
		{target: "FashionMNIST", file: mnistNames[0] + ".gz", args: m{}, archive: gzipped(idxFile(gray, 2, 28, 28)), mode: image.L, first: 9, class: 7, into: func(t *testing.T, url, sum string) {
			set := mnistFiles{mirrors: []string{strings.TrimSuffix(url, mnistNames[0]+".gz")}}
			set.md5[0] = sum
			restore(t, mnistSets, "FashionMNIST", set)
		}},
	}
}

// beside are the files that a set's site has beside the one that is looked at.
var beside = map[string][]byte{
	mnistNames[1] + ".gz": gzipped(idxFile([]byte{2, 7}, 2)), mnistNames[2] + ".gz": gzipped(idxFile(nil, 0, 28, 28)), mnistNames[3] + ".gz": gzipped(idxFile(nil, 0)),
}

// TestDownloads: every kind of archive is fetched, checked and unpacked; a download that was cut off goes on where it ended;
// what is there is not fetched again.
func TestDownloads(t *testing.T) {
	for _, s := range sets(t) {
		t.Run(s.target, func(t *testing.T) {
			root := t.TempDir()
			x := m{"_target_": "torchvision.datasets." + s.target, "root": root}
			for k, v := range s.args {
				x[k] = v
			}
			files := map[string][]byte{s.file: s.archive}
			for k, v := range beside {
				files[k] = v
			}
			server := newSite(t, files)
			url := server.URL + "/" + s.file
			fails := func(what, want string) {
				t.Helper()
				if _, err := build(t, x); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: the error is %v, want %q", what, err, want)
				}
			}
			s.into(t, url, md5Of(s.archive))
			fails("no files", "Dataset not found. You can use download: true to download it")
			x["download"] = true

			s.into(t, server.URL+"/gone/"+strings.Repeat("x", 3), md5Of(s.archive))
			if s.target != "FashionMNIST" { // its files' names are in the address
				fails("404", "the server says 404 Not Found")
			}
			s.into(t, url, strings.Repeat("0", 32))
			fails("a wrong checksum", "File not found or corrupted")

			s.into(t, url, md5Of(s.archive))
			server.cut[s.file] = true
			fails("a connection that breaks", "the download goes on from there")
			server.ranges = nil
			d, err := build(t, x)
			if err != nil {
				t.Fatal(err)
			}
			if want := fmt.Sprintf("bytes=%d-", len(s.archive)/2); len(server.ranges) == 0 || server.ranges[0] != want {
				t.Errorf("the requests' ranges are %q, want %q first", server.ranges, want)
			}
			v, err := d.Item(d.Len() - 1)
			if err != nil {
				t.Fatal(err)
			}
			sample := v.(lighter.List)
			if p := sample[0].(*image.Image); p.Mode != s.mode || p.Pix[0] != s.first || sample[1] != s.class {
				t.Errorf("the last sample is %v with %d, class %v; want mode %s, %d, class %d", p, p.Pix[0], sample[1], s.mode, s.first, s.class)
			}
			server.ranges = nil
			if _, err := build(t, x); err != nil || len(server.ranges) != 0 {
				t.Errorf("what is there was asked for again: %v, %q", err, server.ranges)
			}
		})
	}
}

// TestTruncatedArchives: an archive that ends too early is named, though its checksum is the one that is asked for.
func TestTruncatedArchives(t *testing.T) {
	for _, s := range sets(t) {
		t.Run(s.target, func(t *testing.T) {
			cut := s.archive[:len(s.archive)*2/3]
			files := map[string][]byte{s.file: cut}
			for k, v := range beside {
				files[k] = v
			}
			server := newSite(t, files)
			s.into(t, server.URL+"/"+s.file, md5Of(cut))
			x := m{"_target_": "torchvision.datasets." + s.target, "root": t.TempDir(), "download": true}
			for k, v := range s.args {
				x[k] = v
			}
			_, err := build(t, x)
			if err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(filepath.Base(s.file), ".gz")) {
				t.Errorf("the error is %v, which does not name %s", err, s.file)
			}
		})
	}
}

// TestCIFARChecksums: a batch that was changed is refused, as torchvision refuses it.
func TestCIFARChecksums(t *testing.T) {
	s := sets(t)[0]
	server := newSite(t, map[string][]byte{s.file: s.archive})
	s.into(t, server.URL+"/"+s.file, md5Of(s.archive))
	root := t.TempDir()
	x := m{"_target_": "torchvision.datasets.CIFAR10", "root": root, "download": true}
	if _, err := build(t, x); err != nil {
		t.Fatal(err)
	}
	batch := filepath.Join(root, "cifar-10-batches-py/data_batch_3")
	write(t, batch, cifarPickle("labels", []byte{1}, []byte{2}))
	delete(x, "download")
	if _, err := build(t, x); err == nil || !strings.Contains(err.Error(), batch) || !strings.Contains(err.Error(), "Dataset not found or corrupted") {
		t.Errorf("the error of a changed batch is %v", err)
	}
}

// TestDownloadShowsProgress: a terminal shows a bar with the file's name and size, a log has one line.
func TestDownloadShowsProgress(t *testing.T) {
	s := sets(t)[2]
	server := newSite(t, map[string][]byte{s.file: s.archive})
	s.into(t, server.URL+"/"+s.file, md5Of(s.archive))
	for _, terminal := range []bool{true, false} {
		var screen, log bytes.Buffer
		env := registry.Env{Stage: "fit", Log: zerolog.New(&log), Console: console.New(&screen, terminal, false)}
		c, problems := config.Compose(m{"x": m{"_target_": "torchvision.datasets.SVHN", "root": t.TempDir(), "download": true}})
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		if _, err := registry.Get[lighter.Dataset](registry.NewBuild(c, env), "x"); err != nil {
			t.Fatal(err)
		}
		if terminal && (!strings.Contains(screen.String(), s.file) || !strings.Contains(screen.String(), "KiB")) {
			t.Errorf("the terminal shows %q", screen.String())
		}
		if !terminal && (screen.Len() > 0 || !strings.Contains(log.String(), "downloading "+s.file)) {
			t.Errorf("the screen has %q, the log %q", screen.String(), log.String())
		}
	}
}
