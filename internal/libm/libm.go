// Package libm is functions of mathematics that round correctly, as the C library's almost always do: what Python and
// PyTorch calculate with. Go's may be off in the last bits, and what follows from its own last value magnifies that.
package libm

import (
	"math"
	"math/big"
)

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
	ln10   = log(10)
)

func newFloat(v float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(v) }

// Cos is the cosine of x, in radians.
func Cos(x float64) float64 { return circular(x, 1, math.Cos) }

// Sin is the sine of x, in radians.
func Sin(x float64) float64 {
	if x == 0 {
		return x
	}
	return circular(x, 0, math.Sin)
}

// circular is the sine of x and as many quarters of a circle as ahead says; far is for what is too large for the series.
func circular(x float64, ahead int64, far func(float64) float64) float64 {
	if !(math.Abs(x) < 1<<50) {
		return far(x)
	}
	turns := math.Round(x * 2 / math.Pi)
	r := new(big.Float).SetPrec(precision)
	r.Sub(newFloat(x), r.Mul(halfPi, newFloat(turns)))
	square := newFloat(0)
	square.Neg(square.Mul(r, r))
	// cos(r) or sin(r) = term + term·(-r²)/((n+1)(n+2)) + ..., with n the power of the first term
	quadrant := int64(turns) + ahead
	term, n := newFloat(1), 0.0
	if quadrant&1 == 0 {
		term, n = r, 1
	}
	y, _ := series(term, func(term *big.Float) {
		term.Quo(term.Mul(term, square), newFloat((n+1)*(n+2)))
		n += 2
	}).Float64()
	if quadrant&2 != 0 {
		return -y
	}
	return y
}

// Pow is x to the power y, with the special cases of [math.Pow].
func Pow(x, y float64) float64 {
	switch {
	case x == 0 || math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0):
		return math.Pow(x, y)
	case y == 2:
		return x * x
	case y == math.Trunc(y) && math.Abs(y) < 1<<50:
		p, _ := integerPow(x, y).Float64()
		return p
	case x < 0:
		return math.NaN()
	case y == 0.5:
		return math.Sqrt(x)
	}
	exponent := newFloat(y)
	return power(exponent.Mul(exponent, log(x)), func() float64 { return math.Pow(x, y) })
}

// Exp is e to the power x.
func Exp(x float64) float64 {
	if x == 0 || math.IsNaN(x) || math.IsInf(x, 0) {
		return math.Exp(x)
	}
	return power(newFloat(x), func() float64 { return math.Exp(x) })
}

// power is e to the power of an exponent, as 2^k times the power of a rest; far is for more than a float64 holds.
func power(exponent *big.Float, far func() float64) float64 {
	approximate, _ := exponent.Float64()
	k := math.Round(approximate / math.Ln2)
	if !(math.Abs(k) <= 1100) {
		return far()
	}
	rest := newFloat(k)
	rest.Sub(exponent, rest.Mul(rest, ln2))
	n := 0.0
	e := series(newFloat(1), func(term *big.Float) {
		n++
		term.Quo(term.Mul(term, rest), newFloat(n))
	})
	p, _ := e.SetMantExp(e, int(k)).Float64()
	return p
}

// Log is the natural logarithm of x, with the special cases of [math.Log].
func Log(x float64) float64 { return logarithm(x, math.Log, newFloat(1)) }

// Log2 is the binary logarithm of x.
func Log2(x float64) float64 { return logarithm(x, math.Log2, ln2) }

// Log10 is the decimal logarithm of x.
func Log10(x float64) float64 { return logarithm(x, math.Log10, ln10) }

// logarithm is log(x)/scale; far is for what has no logarithm.
func logarithm(x float64, far func(float64) float64, scale *big.Float) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return far(x)
	}
	l := log(x)
	y, _ := l.Quo(l, scale).Float64()
	return y
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
