// SPDX-License-Identifier: Apache-2.0

// peer is one end of a Constellation handshake, dummy variant, written from the specification with Go's standard library
// and nothing else, for tests of interoperability. It talks over file descriptor 3 and reports on standard output:
//
//	handshake=ok | <error>
//	data=ok | <error>        one byte each way
//	alpn=<protocol>
//
// usage: peer client|server [flags]
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net"
	"os"
	"strings"
	"time"
)

var dummyOID = asn1.ObjectIdentifier{1, 3, 9900, 1, 1}

var (
	issue    = flag.Bool("issue", false, "certificates carry a document")
	validate = flag.Bool("validate", false, "the peer's certificate must carry one")
	lie      = flag.String("lie", "", "nonce, key, critical, usage, oid, signature: what is wrong with our certificate")
	sni      = flag.String("sni", "nonce", "client: server_name instead of a nonce; empty: none")
	cas      = flag.String("cas", "one", "server: one, none, two acceptable CAs")
	protos   = flag.String("alpn", "", "protocols, with commas between")
	at       = flag.Int64("time", 0, "seconds since 1970; 0: the system's clock")
)

type document struct {
	UserData []byte
	Nonce    []byte
}

func now() time.Time {
	if *at == 0 {
		return time.Now()
	}
	return time.Unix(*at, 0)
}

func newNonce() []byte {
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		panic(err)
	}
	return nonce
}

func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func hashKey(key interface{}) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(spki)
	return sum[:], nil
}

// makeDocument is the extension, honest or not.
func makeDocument(key *ecdsa.PrivateKey, nonce []byte) (pkix.Extension, error) {
	if *lie == "key" {
		key = newKey()
	}
	if *lie == "nonce" {
		nonce = newNonce()
	}
	userData, err := hashKey(&key.PublicKey)
	if err != nil {
		return pkix.Extension{}, err
	}
	value, err := json.Marshal(document{UserData: userData, Nonce: nonce})
	if err != nil {
		return pkix.Extension{}, err
	}
	extension := pkix.Extension{Id: dummyOID, Value: value, Critical: *lie == "critical"}
	if *lie == "oid" {
		extension.Id = asn1.ObjectIdentifier{1, 3, 9900, 2, 2}
	}
	return extension, nil
}

// makeCertificate follows section 3.
func makeCertificate(nonce []byte) (*tls.Certificate, error) {
	key := newKey()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: "Constellation"},
		NotBefore:    now().Add(-2 * time.Hour),
		NotAfter:     now().Add(2 * time.Hour),
	}
	if *lie == "usage" {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	if *issue {
		extension, err := makeDocument(key, nonce)
		if err != nil {
			return nil, err
		}
		template.ExtraExtensions = append(template.ExtraExtensions, extension)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	if *lie == "signature" {
		der[len(der)-1] ^= 1
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// verify is section 7, as a peer in Go does it: the leaf is its own root.
func verify(nonce []byte) func([][]byte, [][]*x509.Certificate) error {
	return func(raw [][]byte, _ [][]*x509.Certificate) error {
		if len(raw) == 0 {
			return errors.New("no certificate")
		}
		cert, err := x509.ParseCertificate(raw[0])
		if err != nil {
			return err
		}
		roots := x509.NewCertPool()
		roots.AddCert(cert)
		if _, err := cert.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now()}); err != nil {
			return err
		}
		if !*validate {
			return nil
		}
		return checkDocument(cert, nonce)
	}
}

func checkDocument(cert *x509.Certificate, nonce []byte) error {
	userData, err := hashKey(cert.PublicKey)
	if err != nil {
		return err
	}
	for _, extension := range cert.Extensions {
		if !extension.Id.Equal(dummyOID) {
			continue
		}
		var doc document
		if err := json.Unmarshal(extension.Value, &doc); err != nil {
			return err
		}
		if !bytes.Equal(doc.Nonce, nonce) {
			return errors.New("invalid nonce")
		}
		if !bytes.Equal(doc.UserData, userData) {
			return errors.New("certificate hash does not match user data")
		}
		return nil
	}
	return errors.New("certificate does not contain compatible attestation documents")
}

func list(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

func clientConfig() *tls.Config {
	nonce := newNonce()
	name := base64.StdEncoding.EncodeToString(nonce)
	if *sni != "nonce" {
		name = *sni
	}
	return &tls.Config{
		ServerName:            name,
		InsecureSkipVerify:    true, // by Go's own rules; ours follow
		VerifyPeerCertificate: verify(nonce),
		GetClientCertificate:  answerRequest,
		MinVersion:            tls.VersionTLS12,
		NextProtos:            list(*protos),
	}
}

// answerRequest finds the nonce in the common name of the only acceptable CA.
func answerRequest(info *tls.CertificateRequestInfo) (*tls.Certificate, error) {
	if len(info.AcceptableCAs) != 1 {
		return nil, fmt.Errorf("unexpected acceptableCAs length: %d", len(info.AcceptableCAs))
	}
	var rdns pkix.RDNSequence
	if _, err := asn1.Unmarshal(info.AcceptableCAs[0], &rdns); err != nil {
		return nil, err
	}
	var name pkix.Name
	name.FillFromRDNSequence(&rdns)
	nonce, err := base64.StdEncoding.DecodeString(name.CommonName)
	if err != nil {
		return nil, err
	}
	return makeCertificate(nonce)
}

func authorities(nonces ...[]byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, nonce := range nonces {
		name := pkix.Name{CommonName: base64.StdEncoding.EncodeToString(nonce)}
		subject, err := asn1.Marshal(name.ToRDNSequence())
		if err != nil {
			return nil, err
		}
		pool.AddCert(&x509.Certificate{Raw: subject, RawSubject: subject})
	}
	return pool, nil
}

func serverConfigFor(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	ours := newNonce()
	theirs, err := base64.StdEncoding.DecodeString(hello.ServerName)
	if err != nil {
		return nil, fmt.Errorf("decode nonce: %w", err)
	}
	config := &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return makeCertificate(theirs) },
		MinVersion:     tls.VersionTLS12,
		NextProtos:     list(*protos),
	}
	if !*validate {
		return config, nil
	}
	nonces := map[string][][]byte{"one": {ours}, "none": {}, "two": {ours, newNonce()}}[*cas]
	config.ClientAuth = tls.RequireAnyClientCert
	config.VerifyPeerCertificate = verify(ours)
	config.ClientCAs, err = authorities(nonces...)
	return config, err
}

func say(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func run(conn *tls.Conn) {
	err := conn.Handshake()
	fmt.Printf("handshake=%s\n", say(err))
	if err != nil {
		return
	}
	_, err = conn.Write([]byte("x"))
	if err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	fmt.Printf("data=%s\nalpn=%s\n", say(err), conn.ConnectionState().NegotiatedProtocol)
}

func main() {
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		os.Exit(1)
	}
	raw, err := net.FileConn(os.NewFile(3, "transport"))
	if err != nil {
		fmt.Println("transport=" + err.Error())
		os.Exit(1)
	}
	_ = raw.SetDeadline(time.Now().Add(20 * time.Second))
	if role == "server" {
		run(tls.Server(raw, &tls.Config{GetConfigForClient: serverConfigFor, MinVersion: tls.VersionTLS12}))
	} else {
		run(tls.Client(raw, clientConfig()))
	}
	_ = raw.Close()
}
