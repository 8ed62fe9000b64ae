package torchfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

const (
	legacyHead = "\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
	legacyInfo = "\x80\x02}X\x0d\x00\x00\x00little_endian\x88s."
	legacyKeys = "\x80\x02]X\x01\x00\x00\x000a."
)

// legacyFile is a file of the format before 1.6 with one storage, "0".
func legacyFile(object string, floats ...float32) []byte {
	data := []byte(legacyHead + legacyInfo + "\x80\x02" + object + legacyKeys)
	data = binary.LittleEndian.AppendUint64(data, uint64(len(floats)))
	return append(data, le(floats...)...)
}

// legacyStorageID is the persistent id of its storage, of three elements, with a view or none.
func legacyStorageID(view string) string {
	return "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x03" + view + "tQ"
}

// TestFirstPickles covers how PyTorch before 0.4 wrote tensors.
func TestFirstPickles(t *testing.T) {
	whole := legacyStorageID("N")
	part := legacyStorageID("(X\x01\x00\x00\x00vK\x01K\x02t")
	for _, c := range []struct{ name, object, want string }{
		{"rebuild_tensor", "ctorch._utils\n_rebuild_tensor\n(" + whole + "K\x01K\x02\x85K\x01\x85tR.", "tensor(float32 [2] [1] 1 False in 0: 0000004000004040)"},
		{"tensor class", "ctorch\nFloatTensor\n)\x81(" + whole + "K\x00K\x02\x85K\x01\x85tb.", "tensor(float32 [2] [1] 0 False in 0: 0000803f00000040)"},
		{"parameter class", "ctorch.nn.parameter\nParameter\n)\x81(ctorch\nFloatTensor\n)\x81(" + whole + "K\x00K\x01\x85K\x01\x85tbN}\x88\x89tb.", "parameter(float32 [1] [1] 0 True in 0: 0000803f)"},
		{"part of a storage", "ctorch._utils\n_rebuild_tensor\n(" + part + "K\x00K\x02\x85K\x01\x85tR" + ctuple(whole) + ".", "(tensor(float32 [2] [1] 0 False in 0: 0000004000004040), tensor(float32 [3] [1] 0 False in 1: 0000803f0000004000004040))"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := render(t, readBytes(t, legacyFile(c.object, 1, 2, 3))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// ctuple adds a tensor of all of a storage and makes a pair.
func ctuple(storage string) string {
	return "ctorch._utils\n_rebuild_tensor\n(" + storage + "K\x00K\x03\x85K\x01\x85tR\x86"
}

func TestLegacyRefusals(t *testing.T) {
	whole := "ctorch._utils\n_rebuild_tensor\n(" + legacyStorageID("N") + "K\x00K\x03\x85K\x01\x85tR."
	sound := legacyFile(whole, 1, 2, 3)
	replace := func(old, with string) []byte {
		return bytes.Replace(sound, []byte(old), []byte(with), 1)
	}
	for _, c := range []struct {
		name string
		data []byte
		is   error
		want string
	}{
		{"a class", legacyFile("cos\nsystem\nX\x04\x00\x00\x00true\x85R.", 1, 2, 3), nil, `the class "os.system"`},
		{"a module", legacyFile("(X\x06\x00\x00\x00moduleNNNNtQ.", 1, 2, 3), nil, "not a storage"},
		{"big-endian", replace("\x88s.", "\x89s."), nil, "little-endian"},
		{"another version", replace("M\xe9\x03", "M\xea\x03"), nil, "version 1002"},
		{"another magic number", replace("\xfc\x9c", "\xfc\x9d"), ErrNotCheckpoint, "did not write"},
		{"bytes after it", append(bytes.Clone(sound), 0), ErrDamaged, "1 bytes follow"},
		{"another count", legacyFile(whole, 1, 2, 3, 4), ErrDamaged, "says it has 4 elements"},
		{"a storage twice", replace(legacyKeys, "\x80\x02](X\x01\x00\x00\x000X\x01\x00\x00\x000e."), ErrDamaged, "which the object does not"},
		{"no storage", replace(legacyKeys, "\x80\x02]."), ErrDamaged, `storage "0" is missing`},
		{"keys that are no list", replace(legacyKeys, "\x80\x02}."), nil, "no list"},
		{"terabytes", replace("cpuK\x03", "cpu\x8a\x06\x00\x00\x00\x00\x00\x01"), ErrDamaged, "claims"},
		{"two sizes", legacyFile("ctorch._utils\n_rebuild_tensor\n("+legacyStorageID("N")+"0"+strings.Replace(legacyStorageID("N"), "cpuK\x03", "cpuK\x02", 1)+"K\x00K\x02\x85K\x01\x85tR.", 1, 2, 3), nil, "in one place"},
		{"a part beyond", legacyFile(legacyStorageID("(X\x01\x00\x00\x00vK\x02K\x02t")+".", 1, 2, 3), nil, "beyond its 3 elements"},
		{"a part of a list", legacyFile(legacyStorageID("]")+".", 1, 2, 3), nil, "is a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(c.data), int64(len(c.data)))
			if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("error %v, want one that is %v and holds %q", err, c.is, c.want)
			}
		})
	}
}

// TestLegacyTruncationIsFound: the format has no checksums, but nothing of it can be missing.
func TestLegacyTruncationIsFound(t *testing.T) {
	data := testFile(t, "legacy.pt")
	for n := range data {
		if _, err := Read(bytes.NewReader(data[:n]), int64(n)); err == nil {
			t.Fatalf("cut to %d of %d bytes, it opens", n, len(data))
		}
	}
}

// TestLongPickle: an object's pickle that is longer than what is read at first.
func TestLongPickle(t *testing.T) {
	text := strings.Repeat("x", firstWindow)
	object := "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(text)))) + text + "0ctorch._utils\n_rebuild_tensor\n(" +
		legacyStorageID("N") + "K\x00K\x03\x85K\x01\x85tR."
	if got, want := render(t, readBytes(t, legacyFile(object, 1, 2, 3))), "tensor(float32 [3] [1] 0 False in 0: 0000803f0000004000004040)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
