// Package google reads Google Merchant product feeds: tab-separated text, and XML as RSS 2.0 or Atom with the g: namespace.
//
// As in feed/shopify a file is read twice: Open goes through all of it before the first product is handed out, and the Reader then
// streams. A record that is wrong refuses its whole product and no other.
//
// How a feed is read:
//   - An item is a variant, and its id the SKU. Items with one item_group_id are the variants of one product, also where they lie
//     apart; any other item is a product of its own. The product's address is made of the group's id, or else the item's.
//   - Color, size, material, pattern, gender and age_group in which the variants of a group differ are its options; where they are
//     all the same they are attributes.
//   - A price names its currency, "19.99 USD"; one that does not is in Options.Currency. A lower sale_price is the price, and the
//     price then what it was before. A sale with sale_price_effective_date is left out, for a product has no timetable.
//   - out_of_stock means that 0 are on hand. Otherwise quantity counts where it is given, and where it is not the stock is left as it is.
//   - product_type is the category and what is left of its arrows are the categories above it; where it is blank, a
//     google_product_category in words is. Its number becomes an attribute.
//   - Title, description and brand are those of the group's first item that has them; item_group_title stands before any title.
//   - Pictures are those of all items of a group, the variant's own is its image_link.
package google
