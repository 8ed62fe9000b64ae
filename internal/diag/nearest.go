package diag

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Nearest returns up to limit candidates that name is likely a slip of, best first. Letter case and the signs "_",
// "-" and "." count for nothing; what counts is the number of insertions, deletions, substitutions and swaps of
// neighbours ([Distance]), and longer names may have more of them. Equally near candidates keep their order.
func Nearest(name string, candidates []string, limit int) []string {
	type match struct {
		name string
		d    int
	}
	var found []match
	folded := fold(name)
	for _, c := range candidates {
		f := fold(c)
		n := max(len(folded), len(f))
		if d := distance(folded, f, budget(n)); d <= budget(n) && (d < n || d == 0) && c != name {
			found = append(found, match{c, d})
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return cmp.Compare(a.d, b.d) })
	var names []string
	for _, m := range found {
		if len(names) == limit {
			break
		}
		if !slices.Contains(names, m.name) {
			names = append(names, m.name)
		}
	}
	return names
}

// Distance is the optimal string alignment distance of two names: the least number of insertions, deletions,
// substitutions and swaps of neighbouring characters that turns one into the other, case and "_", "-", "." aside.
func Distance(a, b string) int {
	x, y := fold(a), fold(b)
	return distance(x, y, len(x)+len(y))
}

// budget is how many edits a name of n characters may have: none of one, then one up to four and one more for every
// four, at most four.
func budget(n int) int {
	if n < 2 {
		return 0
	}
	return min(1+(n-1)/4, 4)
}

func fold(s string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return unicode.ToLower(r)
	}, s))
}

// distance is the edit distance of x and y, or some number above limit when it is more than that.
func distance(x, y []rune, limit int) int {
	if d := len(x) - len(y); max(d, -d) > limit {
		return limit + 1
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(x); i++ {
		before, last, row = last, row, before
		row[0] = i
		least := i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least > limit+1 { // a swap may still take one off the row after next
			return limit + 1
		}
	}
	return row[len(y)]
}
