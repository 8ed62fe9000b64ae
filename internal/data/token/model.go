package token

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// modelPart is the model of the file, with the arguments of every type.
type modelPart struct {
	Type                    string          `json:"type"`
	Vocab                   json.RawMessage `json:"vocab"`
	UnkToken                *string         `json:"unk_token"`
	UnkID                   *int64          `json:"unk_id"`
	Merges                  []merge         `json:"merges"`
	Dropout                 float64         `json:"dropout"`
	ContinuingSubwordPrefix *string         `json:"continuing_subword_prefix"`
	EndOfWordSuffix         *string         `json:"end_of_word_suffix"`
	FuseUnk                 bool            `json:"fuse_unk"`
	ByteFallback            bool            `json:"byte_fallback"`
	IgnoreMerges            bool            `json:"ignore_merges"`
	MaxInputCharsPerWord    *int            `json:"max_input_chars_per_word"`
}

// merge is "a b" or ["a", "b"].
type merge [2]string

// UnmarshalJSON implements [json.Unmarshaler].
func (m *merge) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		a, b, ok := strings.Cut(text, " ")
		if !ok {
			return fmt.Errorf("the merge %q is no pair", text)
		}
		*m = merge{a, b}
		return nil
	}
	var pair []string
	if err := json.Unmarshal(data, &pair); err != nil || len(pair) != 2 {
		return fmt.Errorf("the merge %s is no pair", data)
	}
	*m = merge(pair)
	return nil
}

func (p *modelPart) build() (model, error) {
	if p.Type == "Unigram" {
		return p.unigram()
	}
	v := vocabulary{ids: map[string]int64{}}
	if err := json.Unmarshal(p.Vocab, &v.ids); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	for token, id := range v.ids {
		if id < 0 || id > 1<<31 {
			return nil, fmt.Errorf("vocab: %q has the id %d", token, id)
		}
		v.size = max(v.size, int(id)+1)
	}
	if p.UnkToken != nil && *p.UnkToken != "" {
		id, ok := v.ids[*p.UnkToken]
		if !ok {
			return nil, fmt.Errorf("unk_token %q is not in the vocab", *p.UnkToken)
		}
		v.unk, v.hasUnk = id, true
	}
	kind := p.Type
	if kind == "" && p.Merges != nil { // older files leave it out
		kind = "BPE"
	}
	switch kind {
	case "BPE":
		return p.bpe(v)
	case "WordPiece":
		w := &wordPiece{vocabulary: v, prefix: "##", most: 100}
		if p.ContinuingSubwordPrefix != nil {
			w.prefix = *p.ContinuingSubwordPrefix
		}
		if p.MaxInputCharsPerWord != nil {
			w.most = *p.MaxInputCharsPerWord
		}
		if !v.hasUnk {
			return nil, errors.New("WordPiece needs an unk_token")
		}
		return w, nil
	case "WordLevel":
		return &wordLevel{v}, nil
	}
	return nil, fmt.Errorf("the type %q is not known: there are BPE, WordPiece, Unigram and WordLevel", p.Type)
}

// vocabulary is the tokens of a model.
type vocabulary struct {
	ids    map[string]int64
	size   int
	unk    int64
	hasUnk bool
}

func (v *vocabulary) id(token string) (int64, bool) {
	id, ok := v.ids[token]
	return id, ok
}

func (v *vocabulary) count() int { return v.size }

// bytes are the ids of the tokens <0x00> to <0xFF> of a text's bytes, if all are there.
func (v *vocabulary) bytes(text string, ids []int64) ([]int64, bool) {
	n := len(ids)
	for i := range len(text) {
		id, ok := v.ids[fmt.Sprintf("<0x%02X>", text[i])]
		if !ok {
			return ids[:n], false
		}
		ids = append(ids, id)
	}
	return ids, true
}

type wordLevel struct{ vocabulary }

func (w *wordLevel) encode(word string, ids []int64) []int64 {
	if id, ok := w.ids[word]; ok {
		return append(ids, id)
	}
	if w.hasUnk {
		return append(ids, w.unk)
	}
	return ids
}

// wordPiece takes the longest token that begins what is left of a word; a word with a rest that none begins is unknown.
type wordPiece struct {
	vocabulary
	prefix string // of tokens within a word
	most   int    // characters of a word
}

func (w *wordPiece) encode(word string, ids []int64) []int64 {
	if utf8.RuneCountInString(word) > w.most {
		return append(ids, w.unk)
	}
	n := len(ids)
	for start := 0; start < len(word); {
		end := len(word)
		for ; end > start; end -= lastSize(word[start:end]) {
			text := word[start:end]
			if start > 0 {
				text = w.prefix + text
			}
			if id, ok := w.ids[text]; ok {
				ids = append(ids, id)
				break
			}
		}
		if end == start {
			return append(ids[:n], w.unk)
		}
		start = end
	}
	return ids
}

func lastSize(s string) int {
	_, n := utf8.DecodeLastRuneInString(s)
	return n
}

// unigram takes the cut of a word whose tokens have the greatest sum of scores.
type unigram struct {
	vocabulary
	scores       []float64
	longest      int // token, in bytes
	unknown      float64
	byteFallback bool
}

func (p *modelPart) unigram() (model, error) {
	var entries []json.RawMessage
	if err := json.Unmarshal(p.Vocab, &entries); err != nil {
		return nil, fmt.Errorf("vocab: %w", err)
	}
	u := &unigram{vocabulary: vocabulary{ids: map[string]int64{}, size: len(entries)}, byteFallback: p.ByteFallback}
	least := math.Inf(1)
	for i, raw := range entries {
		var token string
		var score float64
		entry := [2]any{&token, &score}
		if err := json.Unmarshal(raw, &entry); err != nil {
			return nil, fmt.Errorf("vocab: entry %d must be [token, score]: %w", i, err)
		}
		u.ids[token] = int64(i)
		u.scores = append(u.scores, score)
		u.longest = max(u.longest, len(token))
		least = min(least, score)
	}
	if p.UnkID != nil {
		if *p.UnkID < 0 || *p.UnkID >= int64(len(entries)) {
			return nil, fmt.Errorf("unk_id %d is beyond the vocab of %d", *p.UnkID, len(entries))
		}
		u.unk, u.hasUnk = *p.UnkID, true
	}
	u.unknown = least - 10
	return u, nil
}

func (u *unigram) encode(word string, ids []int64) []int64 {
	type node struct {
		start int
		score float64
		known bool
		set   bool
	}
	best := make([]node, len(word)+1)
	best[0].set = true
	for start, r := range word {
		size := utf8.RuneLen(r)
		if r == utf8.RuneError {
			_, size = utf8.DecodeRuneInString(word[start:])
		}
		base := best[start].score
		single := false
		for end := start + size; end <= min(len(word), start+u.longest); {
			if id, ok := u.ids[word[start:end]]; ok {
				if score := base + u.scores[id]; !best[end].set || score > best[end].score {
					best[end] = node{start, score, true, true}
				}
				single = single || end == start+size
			}
			if end == len(word) {
				break
			}
			_, n := utf8.DecodeRuneInString(word[end:])
			end += n
		}
		if end := start + size; !single {
			if score := base + u.unknown; !best[end].set || score > best[end].score {
				best[end] = node{start, score, false, true}
			}
		}
	}
	var cuts []int
	for end := len(word); end > 0; end = best[end].start {
		cuts = append(cuts, end)
	}
	start := 0
	for i := len(cuts) - 1; i >= 0; i-- {
		end := cuts[i]
		for !best[end].known && i > 0 && !best[cuts[i-1]].known { // unknown characters in a row are one
			i--
			end = cuts[i]
		}
		ids = u.token(word[start:end], ids)
		start = end
	}
	return ids
}

func (u *unigram) token(text string, ids []int64) []int64 {
	if id, ok := u.ids[text]; ok {
		return append(ids, id)
	}
	if u.byteFallback {
		if ids, ok := u.bytes(text, ids); ok {
			return ids
		}
	}
	if u.hasUnk {
		return append(ids, u.unk)
	}
	return ids
}
