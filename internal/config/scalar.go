package config

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The plain scalars of YAML 1.1 as PyYAML's SafeLoader resolves them (yaml/resolver.py), and beyond it the floats
// that people write and it takes for text: 1e-3, 1E5, 1.5e3, -.5.
var (
	intPattern   = regexp.MustCompile(`^(?:[-+]?0b[01_]*[01][01_]*|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]*[0-9a-fA-F][0-9a-fA-F_]*|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)
	floatPattern = regexp.MustCompile(`^[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$`)
	timePattern  = regexp.MustCompile(`^(\d{4}-\d\d?-\d\d?)(?:[Tt]|[ \t]+)(\d\d?:\d\d:\d\d)(\.\d*)?(?:[ \t]*(Z|[-+]\d\d?(?::\d\d)?))?$`)
	datePattern  = regexp.MustCompile(`^\d{4}-\d\d-\d\d$`)
)

// resolveScalar gives the kind and value of a plain scalar. date is set for a String that YAML calls a date.
func resolveScalar(s string) (k Kind, v any, date bool) {
	switch s {
	case "", "~", "null", "Null", "NULL":
		return Null, nil, false
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
		return Bool, true, false
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
		return Bool, false, false
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return Float, math.Inf(1), false
	case "-.inf", "-.Inf", "-.INF":
		return Float, math.Inf(-1), false
	case ".nan", ".NaN", ".NAN":
		return Float, math.NaN(), false
	}
	if c := s[0]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' {
		return String, s, false
	}
	if len(s) > maxNumber {
		return String, s, false
	}
	if intPattern.MatchString(s) {
		if i, ok := parseInt(strings.ReplaceAll(s, "_", "")); ok {
			if i.IsInt64() {
				return Int, i.Int64(), false
			}
			return Int, i, false
		}
		return String, s, false
	}
	if floatPattern.MatchString(s) {
		if f, ok := parseFloat(strings.ReplaceAll(s, "_", "")); ok {
			return Float, f, false
		}
		return String, s, false
	}
	if text, ok := parseDate(s); ok {
		return String, text, true
	}
	return String, s, false
}

// maxNumber is the longest number, in characters. Turning text into a big integer takes quadratic time.
const maxNumber = 4096

func parseInt(s string) (*big.Int, bool) {
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimLeft(s, "+-")
	i := new(big.Int)
	ok := true
	switch {
	case strings.HasPrefix(s, "0b"):
		_, ok = i.SetString(s[2:], 2)
	case strings.HasPrefix(s, "0x"):
		_, ok = i.SetString(s[2:], 16)
	case strings.Contains(s, ":"):
		for part := range strings.SplitSeq(s, ":") {
			digit, good := new(big.Int).SetString(part, 10)
			if !good {
				return nil, false
			}
			i.Add(i.Mul(i, big.NewInt(60)), digit)
		}
	case len(s) > 1 && s[0] == '0':
		_, ok = i.SetString(s[1:], 8)
	default:
		_, ok = i.SetString(s, 10)
	}
	if neg {
		i.Neg(i)
	}
	return i, ok
}

func parseFloat(s string) (float64, bool) {
	if !strings.Contains(s, ":") {
		f, err := strconv.ParseFloat(s, 64)
		return f, err == nil || math.IsInf(f, 0) // 1e999 is infinite in Python too
	}
	sign := 1.0
	if s[0] == '-' {
		sign = -1
	}
	total := 0.0
	for part := range strings.SplitSeq(strings.TrimLeft(s, "+-"), ":") {
		f, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0, false
		}
		total = total*60 + f
	}
	return sign * total, true
}

// parseDate gives a date or a time as PyYAML writes it again.
func parseDate(s string) (string, bool) {
	if datePattern.MatchString(s) {
		_, err := time.Parse(time.DateOnly, s)
		return s, err == nil && s[:4] != "0000"
	}
	m := timePattern.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	t, err := time.Parse("2006-1-2 15:4:5", m[1]+" "+m[2])
	if err != nil || t.Year() == 0 {
		return "", false
	}
	text := t.Format("2006-01-02 15:04:05")
	if fraction := strings.TrimPrefix(m[3], "."); fraction != "" {
		if micros := (fraction + "000000")[:6]; micros != "000000" {
			text += "." + micros
		}
	}
	if zone := m[4]; zone == "Z" {
		text += "+00:00"
	} else if zone != "" {
		hours, minutes, _ := strings.Cut(zone[1:], ":")
		h, _ := strconv.Atoi(hours)
		mm, _ := strconv.Atoi(minutes)
		if h > 23 || mm > 59 {
			return "", false
		}
		sign := zone[:1]
		if h == 0 && mm == 0 {
			sign = "+"
		}
		text += fmt.Sprintf("%s%02d:%02d", sign, h, mm)
	}
	return text, true
}
