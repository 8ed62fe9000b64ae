package scheduler

import (
	"math"
	"math/big"
)

// Go's math.Cos and math.Pow may be off in the last bits, and schedules that follow from their own last value magnify that.
// These round correctly, as the C library's almost always do: what PyTorch calculates with.

const precision = 192

func parse(s string) *big.Float {
	f, _, err := big.ParseFloat(s, 10, 256, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	return f
}

var (
	halfPi = parse("1.57079632679489661923132169163975144209858469968755291048747229615390820314")
	ln2    = parse("0.69314718055994530941723212145817656807550013436025525412068000949339362196")
)

func newFloat(v float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(v) }

// cos is the cosine of x, in radians.
func cos(x float64) float64 {
	if !(math.Abs(x) < 1<<50) {
		return math.Cos(x)
	}
	quadrant := math.Round(x * 2 / math.Pi)
	r := new(big.Float).SetPrec(precision)
	r.Sub(newFloat(x), r.Mul(halfPi, newFloat(quadrant)))
	square := newFloat(0)
	square.Neg(square.Mul(r, r))
	// cos(r) or sin(r) = term + term·(-r²)/((n+1)(n+2)) + ..., with n the power of the first term
	term, n := newFloat(1), 0.0
	odd := int64(quadrant)&1 == 1
	if odd {
		term, n = r, 1
	}
	y, _ := series(term, func(term *big.Float) {
		term.Quo(term.Mul(term, square), newFloat((n+1)*(n+2)))
		n += 2
	}).Float64()
	if q := int64(quadrant) & 3; q == 1 || q == 2 {
		return -y
	}
	return y
}

// pow is x to the power y. As in Python 0 has no negative powers.
func pow(x, y float64) (float64, error) {
	switch {
	case x == 0 && y < 0:
		return 0, errDivision
	case x == 0 || math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0):
		return math.Pow(x, y), nil
	case y == math.Trunc(y) && math.Abs(y) < 1<<50:
		p, _ := integerPow(x, y).Float64()
		return p, nil
	}
	// exp(y·ln(x)), as 2^k times the power of a rest
	exponent := newFloat(y)
	exponent.Mul(exponent, log(math.Abs(x)))
	approximate, _ := exponent.Float64()
	k := math.Round(approximate / math.Ln2)
	if x < 0 || !(math.Abs(k) <= 1100) { // no number, and more than a float64 holds
		return math.Pow(x, y), nil
	}
	rest := newFloat(k)
	rest.Sub(exponent, rest.Mul(rest, ln2))
	n := 0.0
	e := series(newFloat(1), func(term *big.Float) {
		n++
		term.Quo(term.Mul(term, rest), newFloat(n))
	})
	p, _ := e.SetMantExp(e, int(k)).Float64()
	return p, nil
}

func integerPow(x, y float64) *big.Float {
	result, square := newFloat(1), newFloat(x)
	for k := uint64(math.Abs(y)); k > 0; k >>= 1 {
		if k&1 == 1 {
			result.Mul(result, square)
		}
		square.Mul(square, square)
	}
	if y < 0 {
		result.Quo(newFloat(1), result)
	}
	return result
}

// log is the natural logarithm of x > 0: that of its exponent, and 2·artanh((m-1)/(m+1)) of its mantissa m.
func log(x float64) *big.Float {
	m, exp := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, exp = 2*m, exp-1
	}
	z := newFloat(m - 1)
	z.Quo(z, new(big.Float).Add(newFloat(m), newFloat(1)))
	square := newFloat(0)
	square.Mul(z, z)
	// The terms' divisors 1, 3, 5, ... are taken in as quotients of neighbours.
	n := 1.0
	l := series(z, func(term *big.Float) {
		term.Quo(term.Mul(term.Mul(term, square), newFloat(n)), newFloat(n+2))
		n += 2
	})
	l.Mul(l, newFloat(2))
	e := newFloat(float64(exp))
	return l.Add(l, e.Mul(e, ln2))
}

// series sums terms until they no longer count. next makes a term the one after it.
func series(term *big.Float, next func(*big.Float)) *big.Float {
	sum := newFloat(0)
	for term = new(big.Float).Copy(term); term.Sign() != 0 && (sum.Sign() == 0 || term.MantExp(nil) > sum.MantExp(nil)-precision); next(term) {
		sum.Add(sum, term)
	}
	return sum
}
