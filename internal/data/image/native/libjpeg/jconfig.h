/* What libjpeg-turbo's build writes of its configuration: the interface of libjpeg 6b with 8-bit samples. */
#define JPEG_LIB_VERSION 62
#define C_ARITH_CODING_SUPPORTED 1
#define D_ARITH_CODING_SUPPORTED 1
#define MEM_SRCDST_SUPPORTED 1
#define BITS_IN_JSAMPLE 8
