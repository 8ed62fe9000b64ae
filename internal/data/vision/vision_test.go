package vision

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	stdimage "image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/config"
	_ "github.com/lighter-go/lighter/internal/creation"
	_ "github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/data/draw"
	"github.com/lighter-go/lighter/internal/data/image"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func TestMain(m *testing.M) { tensortest.Main(m) }

type m = map[string]any

var env = registry.Env{Stage: "fit", Log: zerolog.Nop()}

func build(t testing.TB, x m) (lighter.Dataset, error) {
	t.Helper()
	c, problems := config.Compose(m{"x": x})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	return registry.Get[lighter.Dataset](registry.NewBuild(c, env), "x")
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// picture is a PNG file of one grey.
func picture(t testing.TB, grey uint8, side int) []byte {
	t.Helper()
	p := stdimage.NewGray(stdimage.Rect(0, 0, side, side))
	for i := range p.Pix {
		p.Pix[i] = grey
	}
	p.SetGray(0, 0, color.Gray{Y: 1})
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImageFolder(t *testing.T) {
	root := t.TempDir()
	for i, name := range []string{"b/2.PNG", "b/1.png", "b/sub/0.png", "a/9.png", "a/notes.txt"} {
		write(t, filepath.Join(root, name), picture(t, uint8(100+i), 4))
	}
	d, err := build(t, m{"_target_": "torchvision.datasets.ImageFolder", "root": root})
	if err != nil {
		t.Fatal(err)
	}
	// Classes and files in the order of their names, the files of a folder before those of the folders in it.
	want := []struct {
		grey  byte
		class int64
	}{{103, 0}, {101, 1}, {100, 1}, {102, 1}}
	if d.Len() != len(want) {
		t.Fatalf("it has %d images, want %d", d.Len(), len(want))
	}
	for i, w := range want {
		v, err := d.Item(i)
		if err != nil {
			t.Fatal(err)
		}
		sample := v.(lighter.List)
		p := sample[0].(*image.Image)
		if p.Mode != image.RGB || p.Pix[3] != w.grey || sample[1] != w.class {
			t.Errorf("sample %d is %v of grey %d, class %v; want RGB, %d, %d", i, p, p.Pix[3], sample[1], w.grey, w.class)
		}
	}
}

func TestFolderErrors(t *testing.T) {
	root := t.TempDir()
	try := func(want string) {
		t.Helper()
		_, err := build(t, m{"_target_": "torchvision.datasets.ImageFolder", "root": root})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
	try("Couldn't find any class folder in " + root)
	write(t, filepath.Join(root, "a/1.png"), []byte("\x89PNG\r\n\x1a\nbroken"))
	write(t, filepath.Join(root, "b/readme"), nil)
	try("Found no valid file for the classes b. Supported extensions are: .jpg, .jpeg, .png")
	d, err := build(t, m{"_target_": "torchvision.datasets.ImageFolder", "root": root, "allow_empty": true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Item(0); err == nil || !strings.Contains(err.Error(), filepath.Join(root, "a/1.png")) {
		t.Errorf("the error of a broken file is %v, which does not name it", err)
	}
	write(t, filepath.Join(root, "b/1.png"), picture(t, 50, 3))
	if d, err = build(t, m{"_target_": "torchvision.datasets.ImageFolder", "root": root, "on_error": "skip"}); err != nil {
		t.Fatal(err)
	}
	v, err := d.Item(0)
	if err != nil || v.(lighter.List)[1] != int64(1) {
		t.Errorf("in place of the broken image came %v, %v; want that of class 1", v, err)
	}
}

// TestBatchEqualsSamples: a batch made at once holds the numbers of its samples, from the same draws.
func TestBatchEqualsSamples(t *testing.T) {
	defer tensor.Open().Close()
	root := t.TempDir()
	for i, name := range []string{"a/1.png", "a/2.png", "b/3.png"} {
		write(t, filepath.Join(root, name), picture(t, uint8(80*i), 8))
	}
	tv := "torchvision.transforms."
	d, err := build(t, m{"_target_": "torchvision.datasets.ImageFolder", "root": root, "transform": m{"_target_": tv + "Compose", "transforms": []any{
		m{"_target_": tv + "RandomCrop", "size": 8, "padding": 2}, m{"_target_": tv + "RandomHorizontalFlip"},
		m{"_target_": tv + "ToTensor"}, m{"_target_": tv + "Normalize", "mean": []any{0.5, 0.4, 0.3}, "std": []any{0.2, 0.3, 0.4}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	stream := func(k int) lighter.Rand { return draw.Stream(7, uint64(k)) }
	batch, ok, err := d.(lighter.Batcher).Batch([]int64{2, 0, 1}, stream)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	got := batch.(lighter.List)
	for k, i := range []int{2, 0, 1} {
		v, err := d.(lighter.Drawer).Draw(i, stream(k))
		if err != nil {
			t.Fatal(err)
		}
		want := v.(lighter.List)
		a, b := got[0].(tensor.Tensor).Select(0, int64(k)), want[0].(tensor.Tensor)
		if !bytes.Equal(a.Contiguous().Bytes(), b.Contiguous().Bytes()) {
			t.Errorf("image %d of the batch is not sample %d", k, i)
		}
		if c := got[1].(tensor.Tensor).Select(0, int64(k)).Int(); c != want[1] {
			t.Errorf("class %d of the batch is %d, want %v", k, c, want[1])
		}
	}
}

// TestFakeData: the images and classes are those that torchvision 0.26 makes, told by the sums of their bytes.
func TestFakeData(t *testing.T) {
	d, err := build(t, m{"_target_": "torchvision.datasets.FakeData", "size": 4, "image_size": []any{3, 5, 6}, "num_classes": 7, "random_offset": 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		class int64
		sum   uint32
	}{{6, 0x8ba05078}, {1, 0xe594f1c2}, {2, 0xf05fd0dd}, {4, 0x7dab995e}} {
		v, err := d.Item(i)
		if err != nil {
			t.Fatal(err)
		}
		sample := v.(lighter.List)
		p := sample[0].(*image.Image)
		if sum := crc32.ChecksumIEEE(p.Pix); sample[1] != want.class || sum != want.sum || p.Width != 6 || p.Height != 5 {
			t.Errorf("image %d is %v of class %v, its sum %x; want class %d, %x", i, p, sample[1], sum, want.class, want.sum)
		}
	}
}

// idxFile is an IDX file of bytes.
func idxFile(data []byte, shape ...int) []byte {
	out := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		out = binary.BigEndian.AppendUint32(out, uint32(d))
	}
	return append(out, data...)
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

// TestMNISTDownload: the files come from the site, a download that was cut off goes on, and a damaged one is refused.
func TestMNISTDownload(t *testing.T) {
	pixels := bytes.Repeat([]byte{3, 7}, 28*28)
	files := map[string][]byte{
		mnistNames[0]: gzipped(idxFile(pixels, 2, 28, 28)), mnistNames[1]: gzipped(idxFile([]byte{4, 9}, 2)),
		mnistNames[2]: gzipped(idxFile(pixels, 2, 28, 28)), mnistNames[3]: gzipped(idxFile([]byte{1, 0}, 2)),
	}
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/"), ".gz")
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(files[name]))
	}))
	defer server.Close()
	was := mnistSets["MNIST"]
	defer func() { mnistSets["MNIST"] = was }()
	set := mnistFiles{mirrors: []string{server.URL + "/"}}
	for i, name := range mnistNames {
		h := md5.Sum(files[name])
		set.md5[i] = hex.EncodeToString(h[:])
	}
	mnistSets["MNIST"] = set

	root := t.TempDir()
	x := m{"_target_": "torchvision.datasets.MNIST", "root": root, "train": false}
	_, err := build(t, x)
	if err == nil || !strings.Contains(err.Error(), "Dataset not found. You can use download: true to download it") || !strings.Contains(err.Error(), mnistNames[2]) {
		t.Errorf("the error of missing files is %v", err)
	}
	write(t, filepath.Join(root, "MNIST/raw", mnistNames[0]+".gz.part"), files[mnistNames[0]][:10])
	x["download"] = true
	d, err := build(t, x)
	if err != nil {
		t.Fatal(err)
	}
	if len(ranges) != 4 || ranges[0] != "bytes=10-" {
		t.Errorf("the requests' ranges are %q", ranges)
	}
	v, err := d.Item(1)
	if err != nil {
		t.Fatal(err)
	}
	sample := v.(lighter.List)
	if p := sample[0].(*image.Image); p.Mode != image.L || p.Width != 28 || p.Pix[0] != 3 || p.Pix[1] != 7 || sample[1] != int64(0) {
		t.Errorf("image 1 is %v, class %v", p, sample[1])
	}
	set.md5[3] = strings.Repeat("0", 32)
	mnistSets["MNIST"] = set
	x["root"] = t.TempDir()
	if _, err := build(t, x); err == nil || !strings.Contains(err.Error(), "File not found or corrupted") {
		t.Errorf("the error of a wrong checksum is %v", err)
	}
}

// TestCIFARBatch: the pickle that Python 2 wrote is read as data.
func TestCIFARBatch(t *testing.T) {
	data := make([]byte, 2*3072)
	data[0], data[1024], data[2048], data[3072] = 10, 20, 30, 40
	head := "\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x06K\x09eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01K\x02M\x00\x0c\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T"
	file := append(binary.LittleEndian.AppendUint32([]byte(head), uint32(len(data))), data...)
	file = append(file, "tbu."...)
	pix, labels, err := parseCIFAR(file, "labels", 10)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pix[:3], []byte{10, 20, 30}) || pix[3072] != 40 || labels[0] != 6 || labels[1] != 9 {
		t.Errorf("pixels %v, labels %v", pix[:3], labels)
	}
	if _, _, err := parseCIFAR(file, "labels", 7); err == nil || !strings.Contains(err.Error(), "label 9 of image 1 is out of range") {
		t.Errorf("the error of a label out of range is %v", err)
	}
	evil := []byte("\x80\x02cos\nsystem\nU\x02ls\x85R.")
	if _, _, err := parseCIFAR(evil, "labels", 10); err == nil || !strings.Contains(err.Error(), "os.system") {
		t.Errorf("the error of a pickle that runs something is %v", err)
	}
}

// matFile is a MATLAB file of byte arrays.
func matFile(vars ...any) []byte {
	element := func(kind uint32, data []byte) []byte {
		out := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, kind), uint32(len(data)))
		out = append(out, data...)
		return append(out, make([]byte, -len(data)&7)...)
	}
	out := append(bytes.Repeat([]byte{' '}, 124), 0, 1, 'I', 'M')
	for i := 0; i < len(vars); i += 3 {
		var dims []byte
		for _, d := range vars[i+1].([]int) {
			dims = binary.LittleEndian.AppendUint32(dims, uint32(d))
		}
		body := append(element(6, []byte{9, 0, 0, 0, 0, 0, 0, 0}), element(5, dims)...)
		body = append(body, element(1, []byte(vars[i].(string)))...)
		out = append(out, element(matMatrix, append(body, element(matUint8, vars[i+2].([]byte))...))...)
	}
	return out
}

func TestSVHN(t *testing.T) {
	x := make([]byte, 2*3*3*2) // 2 rows, 3 columns, 3 channels, 2 images
	for i := range x {
		x[i] = byte(i)
	}
	pix, labels, h, w, err := parseSVHN(matFile("X", []int{2, 3, 3, 2}, x, "y", []int{2, 1}, []byte{10, 3}))
	if err != nil {
		t.Fatal(err)
	}
	if h != 2 || w != 3 || labels[0] != 0 || labels[1] != 3 || !bytes.Equal(pix[:6], []byte{0, 6, 12, 2, 8, 14}) {
		t.Errorf("size %dx%d, labels %v, pixels %v", h, w, labels, pix[:6])
	}
}

func FuzzIDX(f *testing.F) {
	f.Add(idxFile([]byte{1, 2}, 2))
	f.Add(idxFile(make([]byte, 8), 2, 2, 2))
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, err := parseIDX(data); err == nil && len(x.data) > len(data) {
			t.Error("it has more data than the file")
		}
	})
}

func FuzzMAT(f *testing.F) {
	f.Add(matFile("X", []int{2, 3, 3, 2}, make([]byte, 36), "y", []int{2, 1}, []byte{10, 3}))
	f.Fuzz(func(t *testing.T, data []byte) { _, _, _, _, _ = parseSVHN(data) })
}

func FuzzCIFAR(f *testing.F) {
	f.Add([]byte("\x80\x02}."))
	f.Fuzz(func(t *testing.T, data []byte) { _, _, _ = parseCIFAR(data, "labels", 10) })
}
