package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/tensor"
	"github.com/lighter-go/lighter/tensor/tensortest"
)

func fileOf(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func textOf(path string, arguments m) m {
	x := m{"_target_": "lighter.datasets.Text", "path": path}
	for k, v := range arguments {
		x[k] = v
	}
	return x
}

// A window and the one after it, by character, byte and token. Line ends are Python's.
func TestTextWindows(t *testing.T) {
	tensortest.Scope(t)
	path := fileOf(t, "x.txt", "bad\r\néab") // as Python reads it: b a d \n é a b, of the alphabet \n a b d é
	tokens := fileOf(t, "tokenizer.json", `{"model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "bad": 1, "éab": 2}, "unk_token": "[UNK]"}, "pre_tokenizer": {"type": "WhitespaceSplit"}}`)
	for _, c := range []struct {
		name          string
		arguments     m
		shape         []int64
		first, target []int64
	}{
		{"characters", m{"length": 3}, []int64{2, 3}, []int64{2, 1, 3}, []int64{1, 3, 0}},
		{"a stride", m{"length": 3, "stride": 1}, []int64{4, 3}, []int64{2, 1, 3}, []int64{1, 3, 0}},
		{"a part", m{"length": 2, "start": 1, "stop": -2}, []int64{1, 2}, []int64{1, 3}, []int64{3, 0}},
		{"a part as Python slices", m{"length": 2, "start": -3, "stop": 100}, []int64{1, 2}, []int64{4, 1}, []int64{1, 2}},
		{"bytes", m{"length": 8, "level": "byte"}, []int64{1, 8}, []int64{'b', 'a', 'd', '\r', '\n', 0xc3, 0xa9, 'a'}, []int64{'a', 'd', '\r', '\n', 0xc3, 0xa9, 'a', 'b'}},
		{"another alphabet", m{"length": 2, "alphabet": fileOf(t, "y.txt", "\nabcdeé"), "stop": 4}, []int64{1, 2}, []int64{2, 1}, []int64{1, 4}},
		{"tokens", m{"length": 1, "tokenizer": tokens}, []int64{1, 1}, []int64{1}, []int64{2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Scope(t)
			batch := whole(t, mustBuild[lighter.Dataset](t, textOf(path, c.arguments)))
			equal(t, "shape", batch[0].Shape(), c.shape)
			equal(t, "input", tensor.Values[int64](batch[0].Select(0, 0)), c.first)
			equal(t, "target", tensor.Values[int64](batch[1].Select(0, 0)), c.target)
		})
	}
}

func TestTextErrors(t *testing.T) {
	path := fileOf(t, "x.txt", "ab\ncé\n")
	for _, c := range []struct {
		x    m
		want string
	}{
		{textOf("nowhere.txt", m{"length": 1}), "no such file"},
		{textOf(t.TempDir(), m{"length": 1}), "is a folder"},
		{textOf(fileOf(t, "empty.txt", ""), m{"length": 1}), "is empty"},
		{textOf(path, m{"length": 0}), "must be at least 1"},
		{textOf(path, m{"length": 6}), "a window and the id after it are 7 ids, but"},
		{textOf(path, m{"length": 4, "stop": 4}), "has 6, and start and stop leave 4"},
		{textOf(path, m{"length": 1, "alphabet": fileOf(t, "y.txt", "abc\n")}), `x.txt:2:2: the character 'é' does not occur in the alphabet`},
		{textOf(fileOf(t, "l1.txt", "a\nb\xe9c"), m{"length": 1}), "l1.txt:2:2: byte 0xe9 is not UTF-8"},
		{textOf(path, m{"length": 1, "tokenizer": path}), "x.txt: no tokenizer.json"},
		{textOf(path, m{"length": 1, "tokenizer": path, "level": "byte"}), "cannot be combined"},
		{textOf(path, m{"length": 1, "level": "word"}), "must be one of char, byte"},
	} {
		_, err := build[lighter.Dataset](t, m{"x": c.x})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, want %q", c.x, err, c.want)
		}
	}
}
