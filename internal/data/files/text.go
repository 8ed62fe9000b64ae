package files

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lighter-go/lighter"
	"github.com/lighter-go/lighter/internal/data"
	"github.com/lighter-go/lighter/internal/data/token"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

// Text is `lighter.datasets.Text`: windows of a text as ids, and the same windows one id later. A sample is (input, target), both
// int64 [length].
type Text struct {
	Path      string `cfg:"path,required,aka=file|filename" help:"the file, in UTF-8"`
	Length    int    `cfg:"length,required,aka=block_size|context_length|seq_len|sequence_length" help:"ids of a window"`
	Stride    *int   `cfg:"stride,aka=step" help:"ids from a window to the next; length when null"`
	Start     *int   `cfg:"start" help:"first character (byte, token) to take; negative counts from the end"`
	Stop      *int   `cfg:"stop" help:"one past the last; the end when null or beyond it"`
	Level     string `cfg:"level" help:"what an id is of: a character or a byte" oneof:"char|byte"`
	Alphabet  string `cfg:"alphabet,aka=vocab|vocabulary" help:"the file whose characters have ids; the file itself when null"`
	Tokenizer string `cfg:"tokenizer" help:"a tokenizer.json, whose tokens then have the ids"`
}

// Doc is the reference's text.
func (Text) Doc() string {
	return `Windows of a text for language models: the input is ` + "`length`" + ` ids, the target the same window one id later, both int64. There are
(n - length - 1) // stride + 1 windows in n ids.

With ` + "`level: char`" + ` an id is the place of a character among those of the file, sorted by code point; start and stop leave the ids
as they are. Line ends are read as Python's open() does, all as one character. A text in another file gets the same
ids with ` + "`alphabet`" + `, the path of the text to train on; a character that does not occur there is an error. With ` + "`level: byte`" + ` an
id is a byte, 0 to 255.

With ` + "`tokenizer`" + ` ids are those of Hugging Face's tokenizers for a tokenizer.json: BPE (of bytes, as in GPT-2, Llama 3 and RoBERTa,
or of characters with byte fallback, as in Llama 2), WordPiece (BERT), Unigram and WordLevel. The text is one, with no tokens
added around it (no [CLS], no <s>), and truncation and padding are not looked at. A file that asks for what is not done here, such as
sentencepiece's Precompiled normalizer of T5 and XLM-R, is refused.

    dataset:
      _target_: lighter.datasets.Text
      path: data/text.txt
      length: 48
      stride: 16
      start: 0
      stop: 18000`
}

// Validate checks what needs no file.
func (c Text) Validate() error {
	switch {
	case c.Length < 1:
		return lighter.FieldError("length", "must be at least 1, got %d", c.Length)
	case c.Stride != nil && *c.Stride < 1:
		return lighter.FieldError("stride", "must be at least 1, got %d", *c.Stride)
	case c.Tokenizer != "" && c.Alphabet != "":
		return lighter.FieldError("alphabet", "cannot be combined with tokenizer, which has a vocabulary")
	case c.Level == "byte" && (c.Alphabet != "" || c.Tokenizer != ""):
		return lighter.FieldError("level", "byte cannot be combined with alphabet or tokenizer")
	}
	return nil
}

// Build reads the file. The windows share the memory of the ids.
func (c Text) Build(*lighter.Env) (_ lighter.Dataset, err error) {
	defer tensor.Recover(&err)
	s := tensor.Open()
	defer s.Close()
	ids, err := c.ids()
	if err != nil {
		return nil, err
	}
	n := int64(len(ids))
	ids = ids[clipped(c.Start, 0, len(ids)):max(clipped(c.Start, 0, len(ids)), clipped(c.Stop, len(ids), len(ids)))]
	stride := int64(c.Length)
	if c.Stride != nil {
		stride = int64(*c.Stride)
	}
	if len(ids) < c.Length+1 {
		return nil, lighter.FieldError("length", "a window and the id after it are %d ids, but %s has %d%s", c.Length+1, c.Path, n, c.within(len(ids)))
	}
	all := tensor.FromSlice(ids, int64(len(ids)))
	last := int64(len(ids) - 1)
	windows := func(from int64) tensor.Tensor {
		return s.Return(tensor.CallOne("unfold", all.Narrow(0, from, last), 0, c.Length, stride))
	}
	return data.InMemory([]tensor.Tensor{windows(0), windows(1)}), nil
}

func (c Text) within(n int) string {
	if c.Start == nil && c.Stop == nil {
		return ""
	}
	return fmt.Sprintf(", and start and stop leave %d", n)
}

// clipped is a bound of a Python slice over n items.
func clipped(bound *int, otherwise, n int) int {
	if bound == nil {
		return otherwise
	}
	i := *bound
	if i < 0 {
		i += n
	}
	return min(max(i, 0), n)
}

// ids are those of the whole file.
func (c Text) ids() ([]int64, error) {
	if c.Level == "byte" {
		b, err := readText(c.Path)
		if err != nil {
			return nil, data.Unreadable("path", err)
		}
		ids := make([]int64, len(b))
		for i, v := range b {
			ids[i] = int64(v)
		}
		return ids, nil
	}
	text, err := readUTF8(c.Path)
	if err != nil {
		return nil, data.Unreadable("path", err)
	}
	if c.Tokenizer != "" {
		t, err := token.Open(c.Tokenizer)
		if err != nil {
			return nil, data.Unreadable("tokenizer", err)
		}
		return t.Encode(text), nil
	}
	of := text
	if c.Alphabet != "" && filepath.Clean(c.Alphabet) != filepath.Clean(c.Path) {
		if of, err = readUTF8(c.Alphabet); err != nil {
			return nil, data.Unreadable("alphabet", err)
		}
	}
	ids, at := characters(text, of)
	if at >= 0 {
		r, _ := utf8.DecodeRuneInString(text[at:])
		line := 1 + strings.Count(text[:at], "\n")
		column := 1 + utf8.RuneCountInString(text[strings.LastIndexByte(text[:at], '\n')+1:at])
		return nil, data.Unreadable("path", fmt.Errorf("%s:%d:%d: the character %q does not occur in the alphabet, %s", c.Path, line, column, r, c.Alphabet))
	}
	return ids, nil
}

// characters are a text's ids: the places of its characters in the sorted alphabet of another text. at is where the first one
// is that does not occur there, -1 for none.
func characters(text, of string) (ids []int64, at int) {
	seen := map[rune]int64{}
	for _, r := range of {
		seen[r] = 0
	}
	alphabet := make([]rune, 0, len(seen))
	for r := range seen {
		alphabet = append(alphabet, r)
	}
	slices.Sort(alphabet)
	for i, r := range alphabet {
		seen[r] = int64(i)
	}
	ids = make([]int64, 0, utf8.RuneCountInString(text))
	for i, r := range text {
		id, ok := seen[r]
		if !ok {
			return nil, i
		}
		ids = append(ids, id)
	}
	return ids, -1
}

func readText(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder, not a file", path)
	}
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(path)
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("%s is empty", path)
	}
	return b, err
}

// readUTF8 reads a text as Python's open() does: line ends are "\n".
func readUTF8(path string) (string, error) {
	b, err := readText(path)
	if err != nil {
		return "", err
	}
	if at := invalid(b); at >= 0 {
		return "", fmt.Errorf("%s:%d:%d: byte 0x%02x is not UTF-8: save the text as UTF-8, or use level: byte", path, 1+bytes.Count(b[:at], []byte{'\n'}), at-bytes.LastIndexByte(b[:at], '\n'), b[at])
	}
	text := string(b)
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	return text, nil
}

// invalid is where bytes are not UTF-8, -1 for nowhere.
func invalid(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func init() { registry.Register[lighter.Dataset]("lighter.datasets.Text", Text{Level: "char"}) }
