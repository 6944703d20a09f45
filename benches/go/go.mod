module weftwork/rows

go 1.19
