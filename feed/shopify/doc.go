// Package shopify reads and writes Shopify's product CSV export, with the column names of the old and the new template.
//
// A file is read twice. Check goes through all of it first: encoding, delimiter, header, quotes, the number of columns of
// every row, the line break at the end. What is wrong with the file as a whole is therefore known before the first product
// is handed out, and a file that was cut short does no harm. (A file that was cut exactly between two rows is a whole file;
// nothing can tell.) Reader then streams: a row that is wrong refuses its whole product and no other.
//
// How the file is read:
//   - Rows are grouped by Handle. Rows of one product that lie apart are brought together.
//   - A row with an option value, a SKU or a price is a variant. Other rows add pictures.
//   - The option "Title" with the value "Default Title" is Shopify's word for no options.
//   - A variant without a SKU gets one made of handle and option values. A SKU that an earlier variant of the file has gets
//     the option values, or the handle too, behind it. Both depend only on the file, and both are noted.
//   - A quantity below zero is sold but not there: 0 are on hand, and a note says so. Without a quantity the stock is left as
//     it is. Variants whose quantity Shopify does not track are taken at the number that is written.
//   - Grams are grams, whatever the unit in which Shopify shows them.
//   - Type names the category; where it is blank, the last part of the product category does.
//   - "Google Shopping / …" columns and product metafields become attributes.
//   - A product is published when it is neither unpublished nor draft, archived or unlisted.
//   - Excel's guard, an apostrophe before a number, is taken off SKUs, barcodes and part numbers.
//   - Descriptions pass through; the catalog removes what is dangerous in them.
package shopify
