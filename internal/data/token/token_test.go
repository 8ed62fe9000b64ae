package token

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

type golden struct {
	Texts []string
	Cases []struct {
		Name      string
		Tokenizer json.RawMessage
		Size      int
		IDs       [][]int64
	}
}

func goldens(t testing.TB) (g golden) {
	b, err := os.ReadFile("testdata/tokenizers.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

// The ids are those of Python's tokenizers, whatever the model and the text.
func TestIDsArePythons(t *testing.T) {
	g := goldens(t)
	for _, c := range g.Cases {
		t.Run(c.Name, func(t *testing.T) {
			tok, err := Parse(c.Tokenizer)
			if err != nil {
				t.Fatal(err)
			}
			if tok.Size() != c.Size {
				t.Errorf("%d ids, want %d", tok.Size(), c.Size)
			}
			for i, text := range g.Texts {
				if got := tok.Encode(text); !slices.Equal(got, c.IDs[i]) {
					t.Errorf("%q:\n got %v\nwant %v", text, got, c.IDs[i])
				}
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`{}`, "it has no model"},
		{`{"model": 1}`, "no tokenizer.json"},
		{`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}`, `merge 0, "a" "b": the vocab lacks one of them`},
		{`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}`, `the merge "a" is no pair`},
		{`{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 0.1}}`, "dropout draws at random"},
		{`{"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}}`, `"a" has the id -1`},
		{`{"model": {"type": "WordPiece", "vocab": {"a": 0}, "unk_token": "x"}}`, `unk_token "x" is not in the vocab`},
		{`{"model": {"type": "Unigram", "vocab": [["a", 0]], "unk_id": 1}}`, "unk_id 1 is beyond"},
		{`{"model": {"type": "Other", "vocab": {}}}`, `the type "Other" is not known`},
		{`{"normalizer": {"type": "Precompiled"}, "model": {"type": "WordLevel", "vocab": {}}}`, "sentencepiece's table"},
		{`{"pre_tokenizer": {"type": "UnicodeScripts"}, "model": {"type": "WordLevel", "vocab": {}}}`, `pre_tokenizer: the type "UnicodeScripts" is not known`},
		{`{"pre_tokenizer": {"type": "Split", "behavior": "Isolated", "pattern": {"Regex": "("}}, "model": {"type": "WordLevel", "vocab": {}}}`, `pattern "("`},
	} {
		if _, err := Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.text, err, c.want)
		}
	}
}

// Whatever the file and the text, ids are below the size, or there is an error.
func FuzzTokenizer(f *testing.F) {
	g := goldens(f)
	for i, c := range g.Cases {
		f.Add([]byte(c.Tokenizer), g.Texts[i])
	}
	f.Add([]byte(`{"model":{"type":"Unigram","vocab":[["",0],["a",1]],"byte_fallback":true}}`), "ab")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		tok, err := Parse(data)
		if err != nil {
			return
		}
		for _, id := range tok.Encode(text) {
			if id < 0 || id >= int64(tok.Size()) {
				t.Fatalf("id %d of %d", id, tok.Size())
			}
		}
	})
}
