package columnar

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// powers are those of ten that a float64 holds exactly.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// decimal reads a number that begins at data[i] and that one multiplication or division turns into the nearest float64, as most
// are. end is where it stops; ok is false when it is another kind of number or none.
func decimal(data []byte, i int) (v float64, end int, whole, ok bool) {
	negative := false
	if i < len(data) && (data[i] == '-' || data[i] == '+') {
		negative = data[i] == '-'
		i++
	}
	var mantissa uint64
	digits := i
	for ; i < len(data) && data[i]-'0' <= 9; i++ {
		mantissa = mantissa*10 + uint64(data[i]-'0')
	}
	digits = i - digits
	exponent, whole := 0, true
	if i < len(data) && data[i] == '.' {
		i++
		whole = false
		point := i
		for ; i+8 <= len(data); i += 8 {
			v, ok := eight(binary.LittleEndian.Uint64(data[i:]))
			if !ok {
				break
			}
			mantissa = mantissa*100_000_000 + v
		}
		for ; i < len(data) && data[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(data[i]-'0')
		}
		exponent = point - i
		digits -= exponent
	}
	if digits == 0 || digits > 19 {
		return 0, i, false, false
	}
	if i < len(data) && (data[i] == 'e' || data[i] == 'E') {
		i++
		whole = false
		down := false
		if i < len(data) && (data[i] == '-' || data[i] == '+') {
			down = data[i] == '-'
			i++
		}
		start, e := i, 0
		for ; i < len(data) && data[i]-'0' <= 9 && i-start < 4; i++ {
			e = e*10 + int(data[i]-'0')
		}
		if i == start {
			return 0, i, false, false
		}
		if down {
			e = -e
		}
		exponent += e
	}
	switch {
	case mantissa <= 1<<53 && exponent >= 0 && exponent <= 22: // both factors are exact
		v = float64(mantissa) * powers[exponent]
	case mantissa <= 1<<53 && exponent < 0 && exponent >= -22:
		v = float64(mantissa) / powers[-exponent]
	case exponent < 0 && exponent >= -19:
		v = quotient(mantissa, -exponent)
	default:
		return 0, i, false, false
	}
	if negative {
		v = -v
	}
	return v, i, whole, true
}

// eight reads eight digits at once, the first in the lowest byte.
func eight(b uint64) (v uint64, ok bool) {
	const ones = 0x0101010101010101
	b ^= '0' * ones
	if (b|(b+6*ones))&(0xf0*ones) != 0 { // a byte beyond 9
		return 0, false
	}
	b = b*10 + b>>8 // pairs, then fours, then all
	return ((b&0x000000ff_000000ff)*(100+1_000_000<<32) + (b>>16&0x000000ff_000000ff)*(1+10_000<<32)) >> 32, true
}

// tens are the powers of ten that 64 bits hold.
var tens = [...]uint64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// quotient is the float64 nearest to m/10^k, for m from 2^53 on: the division of 128 bits is exact, and what it leaves decides a
// tie. Numbers with the 16 or 17 digits of a float64 are read so.
func quotient(m uint64, k int) float64 {
	d := tens[k]
	up, down := bits.LeadingZeros64(m), bits.LeadingZeros64(d)
	// With both shifted to the top, q is from 2^62 to below 2^64 and m/10^k is q times 2^(down-up-63).
	q, rest := bits.Div64(m<<up>>1, m<<up<<63, d<<down)
	shift := down - up - 63
	if q>>63 == 0 {
		q, shift = q<<1, shift-1 // the bit that comes in is not the quotient's, but far below what is rounded
	}
	sticky := q&(1<<11-1) | min(rest, 1)
	q >>= 11
	if half := uint64(1 << 10); sticky > half || sticky == half && q&1 == 1 {
		q++
	}
	return math.Ldexp(float64(q), shift+11)
}

// number reads the text of a cell: NaN for one that is missing; an infinity or a number beyond float64 is none.
func number(text string) (v float64, whole bool, err error) {
	text = strings.TrimSpace(text)
	v, err = strconv.ParseFloat(text, 64)
	if err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) && !strings.ContainsAny(text, "_xX") { // Go's spellings of numbers, not a table's
		return v, !strings.ContainsAny(text, ".eE"), nil
	}
	switch {
	case isMissing(text):
		return math.NaN(), true, nil
	case err == nil && math.IsInf(v, 0):
		return 0, false, fmt.Errorf("%q is not finite", clip(text))
	}
	return 0, false, fmt.Errorf("%q %w", clip(text), ErrText)
}
