package data

import "github.com/lighter-go/lighter"

// Unreadable says that the file an argument names is at fault.
func Unreadable(field string, err error) error {
	return lighter.FieldError(field, "%w", &lighter.DataError{Err: err})
}
