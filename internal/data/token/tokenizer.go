// Package token turns text into ids as the tokenizer.json of Hugging Face's tokenizers says: normalization, splitting into
// words, and a model (BPE, WordPiece, Unigram or WordLevel) that cuts words into pieces of its vocabulary.
//
// What a file asks for and this package does not do is refused when it is read, so that ids are those of Python's library or none.
// Left out are truncation, padding and the tokens that a post-processor adds around a text ([CLS], <s>): a text of any length
// is encoded as with encode(text, add_special_tokens=False). Refused are sentencepiece's precompiled normalization (of T5 and
// XLM-R), dropout, and pre-tokenizers by Unicode script.
package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Tokenizer encodes text. Several threads may use one.
type Tokenizer struct {
	normalize func(string) string
	split     []splitter
	model     model
	raw       added // tokens found in the text as it is
	normal    added // tokens found in the normalized text
	size      int
}

// model cuts a word into ids.
type model interface {
	encode(word string, ids []int64) []int64
	id(token string) (int64, bool)
	count() int
}

// Open reads a tokenizer.json.
func Open(path string) (*Tokenizer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err // names the path
	}
	t, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// file is the layout of a tokenizer.json.
type file struct {
	Normalizer   *part        `json:"normalizer"`
	PreTokenizer *part        `json:"pre_tokenizer"`
	Model        *modelPart   `json:"model"`
	AddedTokens  []addedToken `json:"added_tokens"`
}

// Parse is Open for the content of a file.
func Parse(data []byte) (*Tokenizer, error) {
	var f file
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("no tokenizer.json: %w", err)
	}
	if f.Model == nil {
		return nil, errors.New("no tokenizer.json: it has no model")
	}
	t := &Tokenizer{normalize: func(s string) string { return s }}
	var err error
	if f.Normalizer != nil {
		if t.normalize, err = f.Normalizer.normalizer(); err != nil {
			return nil, fmt.Errorf("normalizer: %w", err)
		}
	}
	if f.PreTokenizer != nil {
		if t.split, err = f.PreTokenizer.splitters(); err != nil {
			return nil, fmt.Errorf("pre_tokenizer: %w", err)
		}
	}
	if t.model, err = f.Model.build(); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	t.size = t.model.count()
	for _, a := range f.AddedTokens {
		if a.Content == "" {
			continue
		}
		if a.ID < 0 || a.ID > 1<<31 {
			return nil, fmt.Errorf("added_tokens: %q has the id %d", a.Content, a.ID)
		}
		t.size = max(t.size, int(a.ID)+1)
		if a.Normalized {
			a.Content = t.normalize(a.Content)
			t.normal.tokens = append(t.normal.tokens, a)
		} else {
			t.raw.tokens = append(t.raw.tokens, a)
		}
	}
	t.raw.index()
	t.normal.index()
	return t, nil
}

// Size is the number of ids: one more than the highest.
func (t *Tokenizer) Size() int { return t.size }

// piece is a part of a text: a token that was found as a whole, or text that is still to be cut.
type piece struct {
	text  string
	id    int64 // of a token, else -1
	first bool  // it begins the text
}

// Encode gives the ids of a text.
func (t *Tokenizer) Encode(text string) []int64 {
	var pieces []piece
	for _, p := range t.raw.find(piece{text, -1, true}) {
		if p.id >= 0 {
			pieces = append(pieces, p)
			continue
		}
		p.text = t.normalize(p.text)
		pieces = append(pieces, t.normal.find(p)...)
	}
	for _, split := range t.split {
		var next []piece
		for _, p := range pieces {
			if p.id >= 0 {
				next = append(next, p)
				continue
			}
			next = split(p, next)
		}
		pieces = slices.DeleteFunc(next, func(p piece) bool { return p.text == "" })
	}
	var ids []int64
	known := map[string][2]int{} // words of this text, by where their ids are
	for _, p := range pieces {
		switch {
		case p.id >= 0:
			ids = append(ids, p.id)
		case p.text == "":
		default:
			if at, ok := known[p.text]; ok {
				ids = append(ids, ids[at[0]:at[1]]...)
				continue
			}
			from := len(ids)
			ids = t.model.encode(p.text, ids)
			known[p.text] = [2]int{from, len(ids)}
		}
	}
	return ids
}
