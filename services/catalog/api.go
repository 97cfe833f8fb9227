package catalog

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/meridian-store/meridian/contract"
	"github.com/meridian-store/meridian/kit/httpx"
)

const (
	// singleBody bounds one product, two thousand variants among it; bulkBody a bulk, as the server itself does.
	singleBody = 4 << 20
	bulkBody   = 16 << 20
)

// routes shows all that the catalog answers.
func routes(api *httpx.API, s *Service) {
	read(api, "list-products", "/api/v1/products", "List products", s.getProducts)
	read(api, "get-product", "/api/v1/products/{id}", "Read a product by its id or slug", s.getProduct)
	read(api, "list-categories", "/api/v1/categories", "Read the category tree", s.getCategories)

	httpx.Handle(api, huma.Operation{OperationID: "price-skus", Method: http.MethodPost, Path: "/internal/v1/skus",
		Summary: "Price SKUs", Tags: []string{"internal"}, Hidden: true}, s.postSKUs)

	// The imports service writes as the merchandiser whose role it checked.
	httpx.Handle(api, internalBulk("import-products", "/internal/v1/products/bulk", "Add or replace products by slug"), s.postProducts)
	httpx.Handle(api, internalBulk("import-categories", "/internal/v1/categories/bulk", "Add or replace categories by slug"), s.postCategories)

	const products, product = "/api/v1/admin/products", "/api/v1/admin/products/{id}"
	admin(api, "create-product", http.MethodPost, products, "Add a product", http.StatusCreated, s.postProduct)
	bulk(api, "bulk-products", products+"/bulk", "Add or replace products by slug", s.postProducts)
	admin(api, "get-product-record", http.MethodGet, product, "Read a product as it was written", http.StatusOK, s.getRecord)
	admin(api, "replace-product", http.MethodPut, product, "Replace a product", http.StatusOK, s.putProduct)
	admin(api, "patch-product", http.MethodPatch, product, "Change a product by a JSON merge patch", http.StatusOK, s.patchProduct)
	admin(api, "delete-product", http.MethodDelete, product, "Delete a product", http.StatusNoContent, s.deleteProduct)

	priceListRoutes(api, s)
	documentRoutes(api, s)

	const categories, category = "/api/v1/admin/categories", "/api/v1/admin/categories/{slug}"
	admin(api, "create-category", http.MethodPost, categories, "Add a category", http.StatusCreated, s.postCategory)
	bulk(api, "bulk-categories", categories+"/bulk", "Add or replace categories by slug", s.postCategories)
	admin(api, "list-category-records", http.MethodGet, categories, "Read the category tree as it is stored now", http.StatusOK, s.getCategoryRecords)
	admin(api, "get-category", http.MethodGet, category, "Read a category", http.StatusOK, s.getCategory)
	admin(api, "replace-category", http.MethodPut, category, "Replace a category", http.StatusOK, s.putCategory)
	admin(api, "delete-category", http.MethodDelete, category, "Delete a category", http.StatusNoContent, s.deleteCategory)
}

func internalBulk(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Tags: []string{"internal"}, Hidden: true,
		DefaultStatus: http.StatusOK, MaxBodyBytes: bulkBody, SkipValidateBody: true}
}

// read declares a public read for GET and HEAD.
func read[I, O any](api *httpx.API, id, path, summary string, handler func(context.Context, *I) (*O, error)) {
	operation := huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"catalog"},
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusInternalServerError}, Middlewares: huma.Middlewares{keepAbsence}}
	httpx.Handle(api, operation, handler)
	operation.OperationID, operation.Method, operation.Hidden = "head-"+id, http.MethodHead, true
	httpx.Handle(api, operation, handler)
}

// admin declares an operation of those who keep the catalog.
func admin[I, O any](api *httpx.API, id, method, path, summary string, status int, handler func(context.Context, *I) (*O, error)) {
	operation := adminOperation(id, method, path, summary)
	operation.DefaultStatus = status
	httpx.Handle(api, operation, handler)
}

// bulk declares an operation on many items, each of which is held to its schema, and refused, by itself.
func bulk[I, O any](api *httpx.API, id, path, summary string, handler func(context.Context, *I) (*O, error)) {
	operation := adminOperation(id, http.MethodPost, path, summary)
	operation.SkipValidateBody, operation.MaxBodyBytes = true, bulkBody
	httpx.Handle(api, operation, handler)
}

func adminOperation(id, method, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary,
		Tags: []string{"catalog admin"}, Security: httpx.ForRoles(contract.RoleMerchandiser, contract.RoleAdmin), MaxBodyBytes: singleBody,
		Errors: []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict,
			http.StatusPreconditionFailed, http.StatusInternalServerError}}
}
