module sealite.example/quickstart

go 1.19
