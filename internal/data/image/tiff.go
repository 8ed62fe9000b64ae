package image

import (
	"bytes"
	"encoding/binary"

	"golang.org/x/image/tiff"
)

// Tags of a TIFF file.
const (
	tiffCompression = 259
	tiffPhotometric = 262
)

// decodeTIFF reads a TIFF file. The decoder takes the black of a fax (CCITT) for white where the file says which is which.
func decodeTIFF(data []byte) (*Image, error) {
	src, err := tiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	m := fromStd(src)
	if c := tiffTag(data, tiffCompression); (c == 3 || c == 4) && tiffTag(data, tiffPhotometric) == 1 {
		m = m.Invert()
	}
	return m, nil
}

// tiffTag is the first number of a tag of a file's first picture, 0 without one.
func tiffTag(data []byte, tag uint16) uint16 {
	var order binary.ByteOrder = binary.LittleEndian
	if data[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(data[4:]))
	if at < 8 || at+2 > int64(len(data)) {
		return 0
	}
	for n := order.Uint16(data[at:]); n > 0 && at+14 <= int64(len(data)); n-- {
		if entry := data[at+2 : at+14]; order.Uint16(entry) == tag {
			return order.Uint16(entry[8:])
		}
		at += 12
	}
	return 0
}
