package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadsWhatPyTorchWrote compares with the text that Python made of the same files.
func TestReadsWhatPyTorchWrote(t *testing.T) {
	for _, name := range []string{"values.pt", "containers.pt", "small.pt", "lightning.ckpt", "protocol3.pt", "protocol4.pt", "protocol5.pt", "legacy.pt", "odd.pt"} {
		t.Run(name, func(t *testing.T) {
			want := strings.TrimSpace(string(testFile(t, strings.TrimSuffix(name, filepath.Ext(name))+".txt")))
			if got := render(t, read(t, name)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestSharedObjectsStayShared(t *testing.T) {
	d := read(t, "values.pt").(*Dict)
	shared, _ := d.Get("shared")
	if l := shared.([]any); l[0] != l[1] {
		t.Error("a dict that stands twice in a list became two dicts")
	}
	param, _ := d.Get("param")
	if tied, _ := d.Get("tied"); tied != param {
		t.Error("a parameter with two names became two parameters")
	}
}

func TestRefusedFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		is   error
		want string
	}{
		{"module", testFile(t, "module.pt"), nil, `checkpoint names the class "torch.nn.modules.linear.Linear", which lighter does not load: it could run code`},
		{"tar", append(make([]byte, 257), "ustar\x00........"...), ErrTar, "torch.save(torch.load("},
		{"another pickle", []byte("\x80\x02]."), ErrNotCheckpoint, "torch.save did not write"},
		{"script", testFile(t, "script.pt"), ErrTorchScript, "torch.jit.save"},
		{"empty", nil, ErrDamaged, "empty"},
		{"zeros", make([]byte, 4096), ErrDamaged, "zeros"},
		{"text", []byte("hello, world"), ErrNotCheckpoint, `"hello, w"`},
		{"another zip", zipOf(t, zip.Deflate, "word/document.xml", "x"), ErrNotCheckpoint, "data.pkl"},
		{"compressed", zipOf(t, zip.Deflate, "a/data.pkl", "\x80\x02N.", "a/version", "3"), ErrDamaged, `"a/data.pkl": it is compressed`},
		{"twice", zipOf(t, zip.Store, "a/data.pkl", "\x80\x02N.", "a/data.pkl", "\x80\x02K\x01."), ErrDamaged, "two of that name"},
		{"big-endian", zipOf(t, zip.Store, "a/data.pkl", "\x80\x02N.", "a/version", "3", "a/byteorder", "big"), nil, `byte order "big"`},
		{"newer", zipOf(t, zip.Store, "a/data.pkl", "\x80\x02N.", "a/version", "11"), nil, `archive version "11"`},
		{"no version", zipOf(t, zip.Store, "a/data.pkl", "\x80\x02N."), ErrDamaged, `record "a/version" is missing`},
		{"inside another file", append([]byte("PK\x03\x04 junk before it, as an outer file cut short would leave"), write(t, nil)...), ErrDamaged, "first byte"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.ckpt")
			if err := os.WriteFile(path, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(path)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path+": ") {
				t.Errorf("error %v, want one that names the path and holds %q", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v is not %v", err, c.is)
			}
		})
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrNotCheckpoint) {
		t.Errorf("a folder gives %v", err)
	}
	if _, err := Open("testdata/none.ckpt"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file gives %v", err)
	}
}

// TestOldPickles covers what Pythons other than today's write for the same values.
func TestOldPickles(t *testing.T) {
	for _, c := range []struct{ name, pickle, want string }{
		{"byte strings of Python 2", "\x80\x02(U\x02abT\x03\x00\x00\x00cdet.", "(2:ab, 3:cde)"},
		{"long integers", "\x80\x02\x8b\x02\x00\x00\x00\x00\xff.", "-256"},
		{"an integer of no bytes", "\x80\x02\x8a\x00.", "0"},
		{"discarded values", "\x80\x02K\x01K\x020(K\x03K\x041K\x052\x87.", "(1, 5, 5)"},
		{"long counts", "\x80\x04\x8d\x01\x00\x00\x00\x00\x00\x00\x00x\x8e\x01\x00\x00\x00\x00\x00\x00\x00yB\x01\x00\x00\x00z\x87.", "(1:x, b79, b7a)"},
		{"items one at a time", "\x80\x02}X\x01\x00\x00\x00a]K\x01as.", "{1:a: [1]}"},
		{"long memo", "\x80\x02X\x01\x00\x00\x00ar\x00\x01\x00\x00j\x00\x01\x00\x00\x86.", "(1:a, 1:a)"},
		{"Lightning 1.x", "\x80\x02cpytorch_lightning.utilities.parsing\nAttributeDict\n)\x81}X\x01\x00\x00\x00aK\x01sb.", "{}"},
		{"OrderedDict of Python 2", "\x80\x02ccollections\nOrderedDict\n](](K\x02K\x03eK\x04K\x05\x86e\x85R.", "ordered{2: 3, 4: 5}"},
		{"keys that are equal in Python", "\x80\x02}(K\x01NG\x3f\xf0\x00\x00\x00\x00\x00\x00\x89\x88\x88u.", "{1: True}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := zipOf(t, zip.Store, "a/data.pkl", c.pickle, "a/version", "2")
			if got := render(t, readBytes(t, data)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// TestRefusedPickles holds the ways a pickle asks for code, and the ways one
// asks for more memory or a deeper stack than its bytes are worth.
func TestRefusedPickles(t *testing.T) {
	tensor := func(storage, args string) string {
		return "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storage" + storage + "tQ" + args + "\x89}tR."
	}
	const floats = "ctorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
	for _, c := range []struct{ name, pickle, want string }{
		{"os.system", "cos\nsystem\nX\x04\x00\x00\x00true\x85R.", `the class "os.system"`},
		{"stack global", "\x8c\x02os\x8c\x06system\x93.", `the class "os.system"`},
		{"eval", "c__builtin__\neval\n.", `the class "builtins.eval"`},
		{"getattr", "cbuiltins\ngetattr\n.", `the class "builtins.getattr"`},
		{"dotted name", "\x8c\x05torch\x8c\x0dload.__call__\x93.", `the class "torch.load.__call__"`},
		{"calling a type", "cbuiltins\ndict\n)R.", `the class "builtins.dict"`},
		{"calling data", "K\x01)R.", "pickle calls a value"},
		{"sparse", "ctorch._utils\n_rebuild_sparse_tensor\n.", `the class "torch._utils._rebuild_sparse_tensor"`},
		{"inst", "(ios\nsystem\n.", "opcode 0x69"},
		{"extension", "\x82\x01.", "opcode 0x82"},
		{"last opcode", "\xff.", "opcode 0xff"},
		{"persistent text", "Pdata\n.", "opcode 0x50"},
		{"other persistent id", "X\x06\x00\x00\x00module\x85Q.", "persistent id"},
		{"missing record", tensor("ctorch\nFloatStorage\nX\x01\x00\x00\x009X\x03\x00\x00\x00cpuK\x03", "K\x00K\x03\x85K\x01\x85"), `record "a/data/9" is missing`},
		{"record too short", tensor(floats+"M\x00\x10", "K\x00K\x03\x85K\x01\x85"), "12 bytes, and the pickle says 4096"},
		{"shape beyond the storage", tensor(floats+"K\x03", "K\x00K\x04\x85K\x01\x85"), "beyond its storage"},
		{"offset beyond the storage", tensor(floats+"K\x03", "K\x01K\x03\x85K\x01\x85"), "beyond its storage"},
		{"stride beyond the storage", tensor(floats+"K\x03", "K\x00K\x02\x85K\x03\x85"), "beyond its storage"},
		{"negative stride", tensor(floats+"K\x03", "K\x02K\x03\x85J\xff\xff\xff\xff\x85"), "negative"},
		{"negative offset", tensor(floats+"K\x03", "J\xff\xff\xff\xffK\x03\x85K\x01\x85"), "negative"},
		{"product that wraps", tensor(floats+"K\x03", "K\x00\x8a\x05\x01\x00\x00\x00\x01\x8a\x05\x01\x00\x00\x00\x01\x86\x8a\x05\x01\x00\x00\x00\x01K\x01\x86"), "beyond its storage"},
		{"terabytes of zeros", tensor(floats+"K\x03", "K\x00\x8a\x06\x00\x00\x00\x00\x00\x01\x85K\x00\x85"), "more bytes than the file holds"},
		{"strides missing", tensor(floats+"K\x03", "K\x00K\x03\x85)"), "1 dimensions but 0 strides"},
		{"tensor of a list", "ctorch._utils\n_rebuild_tensor_v2\n(]K\x00))\x89}tR.", "called with 6 arguments, first a list"},
		{"tensor without arguments", "ctorch._utils\n_rebuild_tensor_v3\n)R.", "called without arguments"},
		{"parameter of a number", "ctorch._utils\n_rebuild_parameter\nK\x01\x88}\x87R.", "called with 3 arguments, first a value"},
		{"size of texts", "ctorch\nSize\nX\x01\x00\x00\x00a\x85\x85R.", `a size holds the string "a"`},
		{"device of a number", "ctorch\ndevice\nK\x01\x85R.", "called with 1 arguments"},
		{"bytes beyond 255", "c_codecs\nencode\nX\x03\x00\x00\x00\xe2\x82\xacX\x06\x00\x00\x00latin1\x86R.", "is not a byte"},
		{"bytes in another code", "c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "called with 2 arguments"},
		{"path of numbers", "cpathlib\nPosixPath\nK\x01\x85R.", "called with 1 arguments"},
		{"set of a number", "c__builtin__\nset\nK\x01\x85R.", "called with 1 arguments"},
		{"attributes of a list", "]}b.", "gives a list attributes by a dict"},
		{"attributes by a list", "}]b.", "gives a dict attributes by a list"},
		{"empty OmegaConf node", "comegaconf.nodes\nAnyNode\n)\x81.", "without a value"},
		{"bare storage", "(X\x07\x00\x00\x00storage" + floats + "K\x03tQ.", "storage outside a tensor"},
		{"string of 4 GB", "X\xff\xff\xff\xffabc.", "ends early"},
		{"string of 2^63", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.", "ends early"},
		{"integer of 2 GB", "\x8b\xff\xff\xff\x7f.", "ends early"},
		{"frame of 2^63", "\x95\xff\xff\xff\xff\xff\xff\xff\x7fN.", "ends early"},
		{"no stop", "N", "ends early"},
		{"nothing to return", ".", "empty stack"},
		{"pop below the mark", "K\x01(\x85.", "empty stack"},
		{"no mark", "K\x01t.", "mark"},
		{"unknown memo", "h\x07.", "recalls value 7"},
		{"list as a key", "}]K\x01s.", "key is a list"},
		{"odd items", "}(K\x01u.", "sets 1 items"},
		{"append to a dict", "}K\x01a.", "adds items to a dict"},
		{"list in itself", "]q\x00h\x00a.", "holds itself"},
		{"dict in itself", "}q\x00K\x01h\x00s.", "holds itself"},
		{"deep", strings.Repeat("]", 5000) + strings.Repeat("a", 4999) + ".", "nested more than 1000"},
		{"billion laughs", "]q\x00" + strings.Repeat("0](h\x00h\x00eq\x00", 64) + ".", "unfolds"},
		{"copies of one string", "c_codecs\nencode\nq\x00X\x00\x00\x01\x00" + strings.Repeat("x", 1<<16) + "q\x01X\x06\x00\x00\x00latin1q\x02" +
			strings.Repeat("0h\x00h\x01h\x02\x86R", 1000) + ".", "unfolds"},
		{"numpy in another order", "cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00f8\x89\x88\x87R(K\x03X\x01\x00\x00\x00>tbC\x0812345678\x86R.", `in order ">"`},
		{"numpy arrays", "cnumpy.core.multiarray\n_reconstruct\n.", `the class "numpy.core.multiarray._reconstruct"`},
		{"date of a number", "cdatetime\ndate\nK\x01\x85R.", "called with 1 arguments"},
		{"duration of texts", "cdatetime\ntimedelta\nX\x01\x00\x00\x00a\x85R.", "called with 1 arguments"},
		{"tensor without its state", "ctorch\nFloatTensor\n)\x81.", "without a storage"},
		{"tensor of itself", "ctorch\nFloatTensor\n)\x81q\x00(h\x00N}\x88\x89tb.", "called with 5 arguments"},
		{"parameter without a storage", "ctorch._utils\n_rebuild_parameter\nctorch\nFloatTensor\n)\x81\x88}\x87R.", "called with 3 arguments"},
		{"part of a storage", "(X\x07\x00\x00\x00storage" + floats + "K\x03(X\x01\x00\x00\x00vK\x00K\x01ttQ.", "part of a storage"},
		{"protocol 0", "", "protocol 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := "\x80\x02"
			if c.pickle == "" {
				head = "I1\n."
			}
			data := zipOf(t, zip.Store, "a/data.pkl", head+c.pickle, "a/data/0", string(le(1, 2, 3)), "a/version", "3")
			_, err := Read(bytes.NewReader(data), int64(len(data)))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `record "a/data.pkl"`) {
				t.Errorf("error %v, want one that names the record and holds %q", err, c.want)
			}
			var ce *ClassError
			if strings.HasPrefix(c.want, "the class") && !errors.As(err, &ce) {
				t.Errorf("error %v is no ClassError", err)
			}
		})
	}
}

func TestConjugateBitIsRefused(t *testing.T) {
	pickle := "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nComplexFloatStorage\n" +
		"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x01tQK\x00))\x89}}X\x04\x00\x00\x00conj\x88stR."
	data := zipOf(t, zip.Store, "a/data.pkl", pickle, "a/data/0", string(le(1, 2)), "a/version", "3")
	if _, err := Read(bytes.NewReader(data), int64(len(data))); err == nil || !strings.Contains(err.Error(), `"conj" bit`) {
		t.Errorf("error %v", err)
	}
}

// TestOverlappingRecords: a directory that lists one record's bytes many times
// would make a small file cost the work of a large one.
func TestOverlappingRecords(t *testing.T) {
	data := zipOf(t, zip.Store, "a/data.pkl", "\x80\x02N.", "a/version", "3", "a/data/0", strings.Repeat("x", 1000))
	end := bytes.LastIndex(data, []byte("PK\x05\x06"))
	entry := data[bytes.LastIndex(data, []byte("PK\x01\x02")):end]
	var more []byte
	for i := range byte(5) {
		e := bytes.Clone(entry)
		e[len(e)-1] = '1' + i
		more = append(more, e...)
	}
	tail := bytes.Clone(data[end:])
	binary.LittleEndian.PutUint16(tail[8:], 8)
	binary.LittleEndian.PutUint16(tail[10:], 8)
	binary.LittleEndian.PutUint32(tail[12:], binary.LittleEndian.Uint32(tail[12:])+uint32(len(more)))
	data = slices.Concat(data[:end], more, tail)
	if _, err := Read(bytes.NewReader(data), int64(len(data))); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "more bytes than the file holds") {
		t.Errorf("error %v", err)
	}
}

// TestFileCutAfterOpen: an error, where a memory map would kill the process.
func TestFileCutAfterOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.ckpt")
	if err := os.WriteFile(path, testFile(t, "small.pt"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	w, _ := f.Root.(*Dict).Get("t")
	if _, err := w.(*Tensor).Bytes(); !errors.Is(err, ErrDamaged) {
		t.Errorf("error %v", err)
	}
}

// zipOf makes an archive of names and contents in turn.
func zipOf(t testing.TB, method uint16, kv ...string) []byte {
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for i := 0; i < len(kv); i += 2 {
		w, err := zw.CreateHeader(&zip.FileHeader{Name: kv[i], Method: method})
		if err == nil {
			_, err = io.WriteString(w, kv[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
