package token

import (
	"container/heap"
	"errors"
	"fmt"
	"unicode/utf8"
)

// bpe merges the characters of a word, two neighbours at a time, those first whose merge was learnt first.
type bpe struct {
	vocabulary
	merges       map[[2]int64]mergeRule
	prefix       string
	suffix       string
	fuseUnk      bool
	byteFallback bool
	ignoreMerges bool
}

type mergeRule struct {
	rank int
	id   int64
}

func (p *modelPart) bpe(v vocabulary) (model, error) {
	if p.Dropout != 0 {
		return nil, errors.New("dropout draws at random; only null is done here")
	}
	b := &bpe{vocabulary: v, merges: make(map[[2]int64]mergeRule, len(p.Merges)), fuseUnk: p.FuseUnk, byteFallback: p.ByteFallback, ignoreMerges: p.IgnoreMerges}
	if p.ContinuingSubwordPrefix != nil {
		b.prefix = *p.ContinuingSubwordPrefix
	}
	if p.EndOfWordSuffix != nil {
		b.suffix = *p.EndOfWordSuffix
	}
	for rank, m := range p.Merges {
		left, ok1 := v.ids[m[0]]
		right, ok2 := v.ids[m[1]]
		if len(m[1]) < len(b.prefix) {
			return nil, fmt.Errorf("merge %d, %q %q, lacks the continuing_subword_prefix", rank, m[0], m[1])
		}
		id, ok3 := v.ids[m[0]+m[1][len(b.prefix):]]
		if !ok1 || !ok2 || !ok3 {
			return nil, fmt.Errorf("merge %d, %q %q: the vocab lacks one of them or what they make", rank, m[0], m[1])
		}
		b.merges[[2]int64{left, right}] = mergeRule{rank, id}
	}
	return b, nil
}

func (b *bpe) encode(word string, ids []int64) []int64 {
	if b.ignoreMerges {
		if id, ok := b.ids[word]; ok {
			return append(ids, id)
		}
	}
	from := len(ids)
	ids = b.symbols(word, ids)
	return append(ids[:from], b.merge(ids[from:])...)
}

// symbols are the ids of a word's characters.
func (b *bpe) symbols(word string, ids []int64) []int64 {
	fusing := false
	for i := 0; i < len(word); {
		_, n := utf8.DecodeRuneInString(word[i:])
		text := word[i : i+n]
		if i > 0 {
			text = b.prefix + text
		}
		if i+n == len(word) {
			text += b.suffix
		}
		i += n
		if id, ok := b.ids[text]; ok {
			ids, fusing = append(ids, id), false
			continue
		}
		if b.byteFallback {
			var ok bool
			if ids, ok = b.bytes(text, ids); ok {
				fusing = false
				continue
			}
		}
		if !b.hasUnk || fusing && b.fuseUnk {
			continue
		}
		ids, fusing = append(ids, b.unk), true
	}
	return ids
}

// neighbours is a merge that can be done: of the symbol at a place with the next one, as they are now.
type neighbours struct {
	rule  mergeRule
	at    int
	right int64
}

type queue []neighbours

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].rule.rank < q[j].rule.rank || q[i].rule.rank == q[j].rule.rank && q[i].at < q[j].at
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(neighbours)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

// merge does all merges, in place. Symbols are linked, so that a whole text without words takes n log n.
func (b *bpe) merge(ids []int64) []int64 {
	if len(ids) < 2 {
		return ids
	}
	before, after := make([]int, len(ids)), make([]int, len(ids))
	for i := range ids {
		before[i], after[i] = i-1, i+1
	}
	const gone = -1
	var q queue
	offer := func(i int) {
		if i < 0 || after[i] >= len(ids) {
			return
		}
		right := ids[after[i]]
		if rule, ok := b.merges[[2]int64{ids[i], right}]; ok {
			heap.Push(&q, neighbours{rule, i, right})
		}
	}
	for i := range ids {
		offer(i)
	}
	for len(q) > 0 {
		n := heap.Pop(&q).(neighbours)
		next := len(ids)
		if ids[n.at] != gone {
			next = after[n.at]
		}
		if next >= len(ids) || ids[next] != n.right {
			continue // one of the two was merged meanwhile
		}
		if rule, ok := b.merges[[2]int64{ids[n.at], ids[next]}]; !ok || rule != n.rule {
			continue
		}
		ids[n.at], ids[next] = n.rule.id, gone
		after[n.at] = after[next]
		if after[n.at] < len(ids) {
			before[after[n.at]] = n.at
		}
		offer(before[n.at])
		offer(n.at)
	}
	out := ids[:0]
	for _, id := range ids {
		if id != gone {
			out = append(out, id)
		}
	}
	return out
}
